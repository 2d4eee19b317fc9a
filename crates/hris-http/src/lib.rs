//! One readable way to call an HTTP API safely.
