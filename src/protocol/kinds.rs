//! The member `type`: each direction lists its types once.

/// Makes `Kind`, the types of one direction, and `kind()`. An incomplete list does not compile. The first
/// line is for the lists of keys, whose type names the list.
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
            pub fn all() -> impl Iterator<Item = Self> {
                [$(Self::$kind),+].into_iter().chain(KeyList::ALL.map(Self::Keys))
            }

            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $text,)+
                    Self::Keys(list) => list.as_str(),
                }
            }

            /// `None` for an unknown type.
            pub fn parse(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$kind),)+
                    other => KeyList::parse(other).map(Self::Keys),
                }
            }
        }

        impl $of {
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
