//! What the organisation does with customers beside the API, and what a test counts.

use serde_json::Value;

use super::SessionMSim;

impl SessionMSim {
    /// The ids of all customers, in the order in which they came.
    pub fn customer_ids(&self) -> Vec<String> {
        self.sessionm.state().customers.iter().map(|customer| customer.id.clone()).collect()
    }

    /// Changes a customer by hand, by the keys of a `user` object. False if there is no such customer.
    pub fn edit_customer(&self, customer: &str, user: &Value) -> bool {
        self.sessionm.state().edit(customer, user)
    }

    /// Erases a customer by hand. False if there is no such customer.
    pub fn erase_customer(&self, customer: &str) -> bool {
        let mut state = self.sessionm.state();
        let Some(at) = state.by_id(customer) else { return false };
        state.customers.remove(at);
        true
    }

    /// How many customers were created and changed through the API, whatever was answered.
    pub fn customer_writes(&self) -> u64 {
        self.sessionm.state().customer_writes
    }
}
