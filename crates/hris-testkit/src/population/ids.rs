//! Seeds derived from seeds, and record ids that carry their position, so that finding a person needs no index.

/// Bits of a record id that hold the position: the last group of a uuid.
const POSITION_MASK: u64 = (1 << 48) - 1;
/// An odd number, so that multiplying by it can be undone modulo any power of two.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
const UNSPREAD: u64 = inverse_of(SPREAD);

/// The odd number that undoes a multiplication by `odd` modulo 2⁶⁴ (each round doubles the correct bits).
const fn inverse_of(odd: u64) -> u64 {
    let mut inverse = odd;
    let mut round = 0;
    while round < 5 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)));
        round += 1;
    }
    inverse
}

/// Scatters the bits of a number, one to one.
fn scatter(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// A seed for one use (`topic`, `index`) of a population's seed, unrelated to that of any other use.
pub(super) fn derive(seed: u64, topic: u64, index: u64) -> u64 {
    let by_topic = scatter(seed.wrapping_add(topic.wrapping_mul(SPREAD)));
    scatter(by_topic.wrapping_add(index.wrapping_mul(SPREAD)).wrapping_add(1))
}

/// The record id of the person at a position: the text of a version 4 uuid in lower case.
pub(super) fn record_id(seed: u64, position: u64) -> String {
    let noise = derive(seed, 0, position);
    let (low, mid, high) = (noise >> 32, (noise >> 16) & 0xffff, (noise >> 4) & 0x0fff);
    let clock = 0x8000 | (scatter(noise) & 0x3fff);
    let node = (position.wrapping_mul(SPREAD) ^ scatter(seed)) & POSITION_MASK;
    format!("{low:08x}-{mid:04x}-4{high:03x}-{clock:04x}-{node:012x}")
}

/// The position that a record id claims; only comparing the whole id tells whether the claim is true.
pub(super) fn position_of(seed: u64, record_id: &str) -> Option<u64> {
    let digits = record_id.get(24..36)?;
    let hidden = u64::from_str_radix(digits, 16).ok()?;
    Some((hidden ^ scatter(seed)).wrapping_mul(UNSPREAD) & POSITION_MASK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_id_gives_its_position_back() {
        for position in [0, 1, 2, 999, 1_000_000, 7_654_321] {
            let id = record_id(7, position);
            assert_eq!(position_of(7, &id), Some(position), "{id}");
        }
    }

    #[test]
    fn a_record_id_looks_like_a_version_4_uuid() {
        let id = record_id(1, 41);
        let lengths: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!(id.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&id.as_bytes()[19]));
        assert!(id.bytes().all(|byte| b"0123456789abcdef-".contains(&byte)));
    }

    #[test]
    fn other_text_claims_no_position() {
        for text in
            ["", "x", "not-a-record-id", "é".repeat(40).as_str(), "zzzzzzzz-0000-4000-8000-zzzzzzzzzzzz"]
        {
            assert_eq!(position_of(7, text), None, "{text}");
        }
    }

    #[test]
    fn seeds_of_different_uses_differ() {
        assert_ne!(derive(1, 0, 0), derive(1, 1, 0));
        assert_ne!(derive(1, 0, 0), derive(1, 0, 1));
        assert_ne!(derive(1, 0, 0), derive(2, 0, 0));
    }
}
