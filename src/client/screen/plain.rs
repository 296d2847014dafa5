//! The client without a prompt: lines in, lines out, for pipes and for terminals without cursor movement. It
//! waits for its server as long as that is away, and shows missed messages. It ends with the input, once the
//! server has confirmed everything.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::file_work::FileWork;
use super::input_lines::read_lines;
use super::output::output_ended;
use crate::client::background::next_of;
use crate::client::connection::{Ended, Reconnector, Update};
use crate::client::conversation::{CallTime, Conversation, Effect};
use crate::client::error::Error;
use crate::prompt::MAX_INPUT_BYTES;

/// Unconfirmed messages at which reading stops: no more than the connection's queue holds.
const WINDOW: usize = 100;

/// How long the server may confirm nothing after the end of the input. The total depends on its pace.
const LAST_WAIT: Duration = Duration::from_secs(10);

/// How often to look whether an interrupted transfer can go on.
const TICK: Duration = Duration::from_millis(500);

/// Sends lines. `has_commands` says whether a line that starts with a slash is a command.
pub(crate) async fn run(
    mut connection: Reconnector,
    mut conversation: Conversation,
    mut files: FileWork,
    has_commands: bool,
) -> Result<(), Error> {
    let mut lines = Some(read_lines(MAX_INPUT_BYTES)?);
    let mut deadline = None;
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    // A line typed before the connection must wait for it.
    let mut effects = take(connection.next().await, &mut conversation)?;
    let mut awaited = conversation.awaited();
    loop {
        let has_come_further = conversation.awaited() < awaited || conversation.running_transfers() > 0;
        if has_come_further && deadline.is_some() {
            deadline = Some(Instant::now() + LAST_WAIT);
        }
        awaited = conversation.awaited();
        match show(effects, &mut files) {
            Ok(true) => {}
            Ok(false) => {
                if conversation.running_transfers() > 0 {
                    let _ = print(conversation.note("files are on their way; Ctrl-C interrupts them"));
                }
                lines = None;
                deadline = Some(Instant::now() + LAST_WAIT);
            }
            Err(error) => return output_ended(&error),
        }
        if lines.is_none() && conversation.awaited() == 0 && conversation.running_transfers() == 0 {
            conversation.say_goodbye();
            return all_sent(&conversation);
        }
        let has_room = conversation.awaited() < WINDOW;
        effects = tokio::select! {
            line = next_of(&mut lines, mpsc::Receiver::recv), if has_room => match line {
                Some(Ok(line)) if has_commands => conversation.line(&line, CallTime::now()),
                Some(Ok(line)) => conversation.text(&line, CallTime::now()),
                Some(Err(why)) => conversation.unreadable(&why),
                None => {
                    lines = None;
                    deadline = Some(Instant::now() + LAST_WAIT);
                    Vec::new()
                }
            },
            update = connection.next() => take(update, &mut conversation)?,
            _ = ticks.tick(), if conversation.files_wait() => conversation.files_tick(CallTime::now()),
            (task, report) = files.next() => conversation.transfer_report(task, report, CallTime::now()),
            () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                return Err(not_acknowledged(&mut conversation));
            }
        };
    }
}

/// Tells a script whether everything got through. A user at a terminal has seen which commands were refused.
fn all_sent(conversation: &Conversation) -> Result<(), Error> {
    let refusals = if io::stdin().is_terminal() { 0 } else { conversation.refusals() };
    let what = match (conversation.unsent(), refusals) {
        (0, 0) => return Ok(()),
        (0, 1) => "1 command was refused".to_owned(),
        (0, n) => format!("{n} commands were refused"),
        (1, _) => "1 message was not sent".to_owned(),
        (n, _) => format!("{n} messages were not sent"),
    };
    Err(Error::Refused(format!("{what}; the output says which and why"), None))
}

fn take(update: Result<Update, Ended>, conversation: &mut Conversation) -> Result<Vec<Effect>, Error> {
    match update {
        Ok(update) => Ok(conversation.update(update, CallTime::now())),
        Err(ended) => {
            let _ = print(conversation.abandon());
            Err(ended.into())
        }
    }
}

fn not_acknowledged(conversation: &mut Conversation) -> Error {
    let count = conversation.awaited();
    let _ = print(conversation.abandon());
    Error::Disconnected(format!(
        "{count} of the last lines were not acknowledged: the server was silent for {} s; they may not have \
         been delivered",
        LAST_WAIT.as_secs()
    ))
}

/// Prints lines, and starts what they order; false if the user quits.
fn show(effects: Vec<Effect>, files: &mut FileWork) -> io::Result<bool> {
    let mut goes_on = true;
    let mut lines = Vec::new();
    for effect in effects {
        match effect {
            Effect::Quit => goes_on = false,
            Effect::Transfer(order) => files.start(*order),
            effect => lines.push(effect),
        }
    }
    print(lines)?;
    Ok(goes_on)
}

/// Prints lines. All other effects are for a prompt.
fn print(effects: Vec<Effect>) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    for effect in effects {
        if let Effect::Show(line) = effect {
            writeln!(stdout, "{line}")?;
        }
    }
    stdout.flush()
}
