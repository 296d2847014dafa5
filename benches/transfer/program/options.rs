//! The bench's options.

/// See the crate's documentation.
#[derive(Debug, Clone)]
pub struct Options {
    pub bytes: u64,
    pub turns: usize,
    pub link: Option<String>,
    pub plaintext: bool,
    /// Beside Magic Wormhole instead of socat.
    pub wormhole: bool,
    /// Transfers beside which the chat is measured.
    pub chat: Option<usize>,
    /// Transfers whose connections break, and kills of the server meanwhile.
    pub cuts: Option<usize>,
    pub kills: usize,
    pub seed: Option<u64>,
}

impl Options {
    pub fn from_args() -> Result<Self, String> {
        let mut options = Self {
            bytes: 2 << 30,
            turns: 5,
            link: None,
            plaintext: false,
            wormhole: false,
            chat: None,
            cuts: None,
            kills: 10,
            seed: None,
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut number = |what: &str| {
                let number = words.next().and_then(|number| number.parse().ok());
                number.filter(|number| *number > 0).ok_or_else(|| format!("{what} needs a number"))
            };
            match word.as_str() {
                // From cargo.
                "--bench" => {}
                "--bytes" => options.bytes = number("--bytes")?,
                "--turns" => options.turns = number("--turns")? as usize,
                "--chat" => options.chat = Some(number("--chat")? as usize),
                "--cuts" => options.cuts = Some(number("--cuts")? as usize),
                "--kills" => options.kills = number("--kills")? as usize,
                "--seed" => options.seed = Some(number("--seed")?),
                "--plaintext" => options.plaintext = true,
                "--wormhole" => options.wormhole = true,
                "--link" => {
                    options.link = Some(words.next().ok_or("--link needs a rate, such as 1gbit")?);
                }
                other => return Err(format!("{other} is unknown")),
            }
        }
        Ok(options)
    }
}
