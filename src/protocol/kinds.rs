//! The member `type`: each direction lists its types once, with what has them.

/// Makes `Kind`, the types of one direction, and `kind()`, which says what type a request or an event has.
/// Both are complete or do not compile. The first line is for the lists of keys, whose type is the list.
macro_rules! kinds {
    (
        $(#[$doc:meta])* $of:ident:
        Keys($list:ident): $keys:pat,
        $($kind:ident = $text:literal: $what:pat,)+
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Kind {
            $(#[doc = concat!("`", $text, "`")] $kind,)+
            /// `operators`, `members` or `owners`
            Keys(KeyList),
        }

        impl Kind {
            /// All there are, in the order in which they are listed.
            pub fn all() -> impl Iterator<Item = Self> {
                [$(Self::$kind),+].into_iter().chain(KeyList::ALL.map(Self::Keys))
            }

            /// As the wire has it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $text,)+
                    Self::Keys(list) => list.as_str(),
                }
            }

            /// The one of that text, if there is one.
            pub fn parse(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$kind),)+
                    other => KeyList::parse(other).map(Self::Keys),
                }
            }
        }

        impl $of {
            /// The member `type`.
            pub fn kind(&self) -> Kind {
                match self {
                    $($what => Kind::$kind,)+
                    $keys => Kind::Keys(*$list),
                }
            }
        }
    };
}

pub(super) use kinds;
