//! What the rules decide, put into the turn.

use super::super::multicast::Asked;
use super::super::turn::{Errand, Receivers, Turn, What};
use crate::chat::{Audience, Delivery};

/// Appends what follows from one call of the rules, step by step.
pub(super) fn deliver(turn: &mut Turn, delivery: Delivery) {
    match delivery {
        Delivery::Message { audience, packet, entry, receipt } => {
            let kept = entry.map(|entry| turn.keep(entry));
            // Without an id it has no receipt, and can't be a duplicate.
            let entry = kept.filter(|_| receipt.is_some());
            // In the place where others have the message.
            if let Some(receipt) = receipt {
                turn.step(receipt.session, What::Receipt(receipt, entry));
            }
            match audience {
                Audience::Lobby { except } => turn.lobby(&packet, except.as_slice(), entry),
                Audience::Others(except) => turn.lobby(&packet, &except, entry),
                Audience::Sessions(sessions) => turn.live(&packet, Receivers::These(sessions), entry),
                Audience::Room { sessions, except } => {
                    turn.live(&packet, Receivers::Shared(sessions, except), entry)
                }
            }
        }
        Delivery::Keep(entry) => drop(turn.keep(entry)),
        Delivery::CatchUp { session, since, latest } => {
            turn.step(session, What::Errand(Some(Box::new(Errand::CatchUp { since, latest }))));
        }
        Delivery::Ask { session, echo, question } => {
            turn.step(session, What::Errand(Some(Box::new(Errand::Answer { echo, question }))));
        }
        Delivery::Multicast { session, echo, token } => {
            turn.step(session, What::Multicast(Some(Box::new(Asked { echo, token }))));
        }
        Delivery::Packet { audience: Audience::Lobby { except }, packet } => {
            turn.lobby(&packet, except.as_slice(), None);
        }
        Delivery::Packet { audience: Audience::Others(except), packet } => turn.lobby(&packet, &except, None),
        Delivery::Packet { audience: Audience::Sessions(sessions), packet } => {
            turn.direct(&packet, Receivers::These(sessions));
        }
        Delivery::Packet { audience: Audience::Room { sessions, except }, packet } => {
            turn.direct(&packet, Receivers::Shared(sessions, except));
        }
        Delivery::Answer(answer) => turn.answer(answer),
        Delivery::Follow(session) => turn.step(session, What::Follow),
        Delivery::Close(session) => turn.step(session, What::Close),
        Delivery::Log(what) => tracing::info!("{what}"),
    }
}
