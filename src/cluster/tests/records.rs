//! The records' form, and what bytes that lie do to it.

use super::super::ledger::Ledger;
use super::super::record::{Chain, Lead, LogRecord, Taken, Turn};
use super::single::{lead, run, turn};
use proptest::prelude::*;

#[test]
fn records_and_ledgers_are_read_as_they_were_written() {
    let records = [
        LogRecord::Lead(Lead { by: run(255, u64::MAX), term: 3, chain: Chain(u128::MAX) }),
        LogRecord::Turn(Turn {
            term: 1,
            number: 2,
            chain: Chain(7),
            more: true,
            taken: vec![(run(1, 2), Taken::Upto(300)), (run(2, 9), Taken::Ended)],
            body: vec![200; 1000].into(),
        }),
    ];
    for record in records {
        let bytes = record.to_bytes();
        assert!(bytes.len() < 1100, "a byte takes a byte");
        assert_eq!(LogRecord::read(&bytes), Ok(record));
        assert!((0..bytes.len()).all(|end| LogRecord::read(&bytes[..end]).is_err()));
        assert!(LogRecord::read(&[&bytes[..], b"x"].concat()).is_err());
    }
    let mut ledger = Ledger::default();
    ledger.read(1, &lead(run(0, 1), 1, ledger.chain)).unwrap();
    ledger.read(2, &turn(1, 1, ledger.chain, vec![(run(1, 4), Taken::Ended)])).unwrap();
    // Of a version that knew no marks.
    let mut bytes = rmp_serde::to_vec(&ledger).unwrap();
    assert_eq!((bytes[0], bytes.pop()), (0x97, Some(0xc0)));
    bytes[0] = 0x96;
    assert_eq!(rmp_serde::from_slice::<Ledger>(&bytes).unwrap(), ledger);
    let ledger = ledger.with_key_mark(7).unwrap();
    assert_eq!(ledger.clone().with_key_mark(8), None);
    assert_eq!(ledger.clone().with_key_mark(7).as_ref(), Some(&ledger));
    let bytes = rmp_serde::to_vec(&ledger).unwrap();
    assert_eq!(rmp_serde::from_slice::<Ledger>(&bytes).unwrap(), ledger);
}

#[test]
fn a_length_that_lies_reserves_nothing() {
    // A turn with 2 of 4 GiB of a body, one with 4 billion runs, and one that nests without end.
    let head = b"\x01\x81\xa4Turn\x96\x01\x01\xc4\x10................\xc2";
    for tail in [&b"\x90\xc6\xff\xff\xff\xffxx"[..], b"\xdd\xff\xff\xff\xff\x92"] {
        assert!(LogRecord::read(&[&head[..], tail].concat()).is_err());
    }
    assert!(LogRecord::read(&[&head[..], &[0x91; 100_000]].concat()).is_err());
    assert!(LogRecord::read(&[&head[..], b"\x90\xc4\x02hi"].concat()).is_ok(), "it is the tail that lies");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn whatever_the_bytes_a_record_is_read_or_refused(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        at in 0_usize..60,
        to in any::<u8>(),
    ) {
        let _ = LogRecord::read(&bytes);
        let _ = LogRecord::read(&[&[1], &bytes[..]].concat());
        let mut record = turn(1, 1, Chain(5), vec![(run(1, 5), Taken::Upto(1))]).to_vec();
        let at = at % record.len();
        record[at] = to;
        if let Ok(record) = LogRecord::read(&record) {
            prop_assert_eq!(LogRecord::read(&record.to_bytes()), Ok(record));
        }
        let _ = Ledger::default().read(1, &record);
    }
}
