//! `/set`: shows the user's preferences, and changes them for this run and the next ones.

use super::{Conversation, Effect, PendingRequest};
use crate::client::preferences::{Preference, Preferences, SETTINGS, find_preference};
use crate::name::RoomName;
use crate::protocol::request::Act;
use crate::text::safe_line;

/// Restores a preference's default.
const DEFAULT: &str = "default";

impl Conversation {
    /// Handles `/set [NAME [VALUE]]`.
    pub(super) fn set(&mut self, name: Option<&str>, value: Option<&str>) -> Vec<Effect> {
        let Some(name) = name else { return self.list_preferences() };
        let preference = match find_preference(name) {
            Ok(preference) => preference,
            Err(near) => {
                let hint = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
                let name = safe_line(name);
                return self
                    .refuse_setting(&format!("there is no preference {name}{hint} (/set lists them)"));
            }
        };
        match value {
            None => {
                let value = safe_line(&preference.of(&self.view.preferences).to_string());
                let Preference { name, help, values, .. } = preference;
                self.note(&format!("{name} is {value}: {help} ({values})"))
            }
            Some(typed) => self.change(preference, typed),
        }
    }

    fn change(&mut self, preference: &Preference, typed: &str) -> Vec<Effect> {
        let is_default = typed.trim().eq_ignore_ascii_case(DEFAULT);
        let value = match is_default {
            true => Ok(preference.of(&Preferences::default())),
            false => preference.read(typed),
        };
        let changed = value.and_then(|value| {
            preference.set(&mut self.view.preferences, &value)?;
            Ok(value)
        });
        let value = match changed {
            Ok(value) => value,
            Err(why) => return self.refuse_setting(&why),
        };
        if preference.name == "focus" {
            // It holds from now on, whatever `/focus` said before.
            self.attention.unread.focus = None;
        }
        let saved = match &self.preferences_file {
            Some(file) => file.save(preference.name, (!is_default).then_some(&value)),
            None => Err("there is no config file".to_owned()),
        };
        let mut effects = match saved {
            Ok(()) => self.note(&format!("{} is now {}", preference.name, safe_line(&value.to_string()))),
            Err(why) => self.failure(&format!(
                "{} is now {}, but only until you leave: {}",
                preference.name,
                safe_line(&value.to_string()),
                safe_line(&why)
            )),
        };
        effects.push(Effect::Relabel);
        effects
    }

    fn refuse_setting(&mut self, why: &str) -> Vec<Effect> {
        self.refused += 1;
        self.failure(why)
    }

    fn list_preferences(&self) -> Vec<Effect> {
        let values: Vec<_> = SETTINGS
            .iter()
            .map(|preference| {
                let value = safe_line(&preference.of(&self.view.preferences).to_string());
                (preference, value)
            })
            .collect();
        // A long value moves only its own help to the right.
        let name_width = SETTINGS.iter().map(|preference| preference.name.len()).max().unwrap_or(0);
        let rows = values.iter().map(|(preference, value)| {
            format!("{:name_width$}  {value:9}  {}", preference.name, preference.help)
        });
        let last = format!("to change one: /set bell off, or /set bell {DEFAULT}");
        let place =
            self.preferences_file.as_ref().map(|file| format!("kept in {}", safe_line(&file.place())));
        let lines: Vec<_> = rows.chain([last]).chain(place).collect();
        self.note(&lines.join("\n"))
    }

    /// Joins the rooms of the preference `join` that the user is not in.
    pub(super) fn join_preferred(&mut self) -> Vec<Effect> {
        let rooms = self.view.preferences.join.clone();
        let missing = rooms.iter().filter(|room| {
            RoomName::new(room).is_ok_and(|room| !room.is_lobby() && !self.rooms.contains(&room))
        });
        let requests: Vec<_> = missing.map(|room| Act::Join { room: room.clone() }.into()).collect();
        requests.iter().flat_map(|request| self.ask(request, PendingRequest::Show)).collect()
    }
}
