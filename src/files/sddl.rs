//! Windows permissions as text (SDDL, [MS-DTYP] 2.5.1), such as `D:P(A;;FA;;;SY)`.

/// Everyone and groups that most users of a machine or a domain belong to, by their short names.
const BROAD: [&str; 8] = ["WD", "AU", "BU", "BG", "AN", "IU", "NU", "DU"];

/// The same by their identifiers, where those are the same everywhere.
const BROAD_IDS: [&str; 7] =
    ["S-1-1-0", "S-1-5-11", "S-1-5-32-545", "S-1-5-32-546", "S-1-5-7", "S-1-5-4", "S-1-5-2"];

/// The last number of a domain's users and guests.
const BROAD_OF_DOMAIN: [&str; 2] = ["-513", "-514"];

/// The system, administrators, and the installer of Windows.
const SYSTEM: [&str; 5] = [
    "SY",
    "BA",
    "S-1-5-18",
    "S-1-5-32-544",
    "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",
];

/// The right to read data, alone and as a part of "all".
const READING: u64 = 0x1 | 0x1000_0000 | 0x8000_0000;

/// Full access for a user, the system and administrators; a directory passes it on to everything in it.
pub(super) fn private(user: &str, is_directory: bool) -> String {
    let inherited = if is_directory { "OICI" } else { "" };
    let entries: String =
        [user, "SY", "BA"].iter().map(|who| format!("(A;{inherited};FA;;;{who})")).collect();
    format!("D:P{entries}")
}

/// Whether everyone, or a group that most users belong to, may read.
pub(super) fn is_shared(permissions: &str) -> bool {
    let Some((_, list)) = permissions.split_once("D:") else { return true };
    // Without a list, everyone may do anything; an empty list lets nobody in.
    list.starts_with("NO_ACCESS_CONTROL") || list.split('(').skip(1).any(lets_many_read)
}

fn lets_many_read(entry: &str) -> bool {
    let fields: Vec<&str> = entry.split([';', ')']).collect();
    let &[kind, flags, rights, _, _, who, ..] = fields.as_slice() else { return false };
    // "IO" is for what is created in a directory, not for the directory itself.
    let is_for_others = flags.as_bytes().chunks(2).any(|flag| flag == b"IO");
    ["A", "XA", "OA"].contains(&kind) && !is_for_others && is_broad(who) && can_read(rights)
}

fn is_broad(who: &str) -> bool {
    let is_of_domain = who.starts_with("S-1-5-21-") && BROAD_OF_DOMAIN.iter().any(|end| who.ends_with(end));
    is_of_domain || BROAD.contains(&who) || BROAD_IDS.contains(&who)
}

fn can_read(rights: &str) -> bool {
    match rights.strip_prefix("0x") {
        // A number that cannot be read counts as all rights.
        Some(number) => u64::from_str_radix(number, 16).unwrap_or(READING) & READING != 0,
        None => {
            let words = rights.as_bytes().chunks(2);
            words.clone().any(|word| [b"FA", b"FR", b"GA", b"GR", b"CC"].iter().any(|read| word == *read))
        }
    }
}

/// Whether the owner is the system or an administrator.
pub(super) fn is_system_owned(permissions: &str) -> bool {
    permissions.strip_prefix("O:").is_some_and(|owner| SYSTEM.contains(&owner))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_for_the_owner_are_private() {
        let user = "S-1-5-21-1004336348-1177238915-682003330-1001";
        assert_eq!(private("S-1-5-1", false), "D:P(A;;FA;;;S-1-5-1)(A;;FA;;;SY)(A;;FA;;;BA)");
        assert!(!is_shared(&private(user, true)));
        assert!(!is_shared(&private(user, false)));
        assert!(
            !is_shared("D:AI(A;ID;FA;;;SY)(A;ID;FA;;;BA)(A;ID;FA;;;S-1-5-21-1-2-3-1001)"),
            "in a profile"
        );
        assert!(!is_shared("D:P"), "nobody may do anything");
    }

    #[test]
    fn permissions_for_most_users_are_not_private() {
        for shared in [
            "D:AI(A;ID;FA;;;BA)(A;ID;0x1301bf;;;AU)(A;ID;0x1200a9;;;BU)",
            "D:(A;;FR;;;WD)",
            "D:PAI(A;;FA;;;SY)(A;OICI;CCDCLCSWRPRC;;;S-1-1-0)",
            "D:(A;;GR;;;S-1-5-21-1-2-3-513)",
            "D:NO_ACCESS_CONTROL",
            "",
        ] {
            assert!(is_shared(shared), "{shared}");
        }
        for harmless in ["D:(D;;FA;;;WD)", "D:(A;OICIIO;FA;;;WD)", "D:(A;;0x100080;;;WD)", "D:(A;;SD;;;AU)"] {
            assert!(!is_shared(harmless), "{harmless}");
        }
    }

    #[test]
    fn only_the_system_and_administrators_own_the_system_s_files() {
        assert!(is_system_owned("O:BA") && is_system_owned("O:SY"));
        assert!(!is_system_owned("O:S-1-5-21-1-2-3-1001") && !is_system_owned(""));
    }
}
