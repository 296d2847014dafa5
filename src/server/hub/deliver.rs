//! Appends the rules' deliveries to the batch.

use super::super::output_batch::{BackgroundJob, Liveness, OutputBatch, Receivers, StepKind};
use crate::chat::{Audience, Delivery};

pub(super) fn deliver(batch: &mut OutputBatch, delivery: Delivery) {
    match delivery {
        Delivery::Message { audience, packet, entry, receipt } => {
            let kept = entry.map(|entry| batch.keep(entry));
            // Without an id, a message has no receipt and cannot be a duplicate.
            let entry = kept.filter(|_| receipt.is_some());
            // At the position where others receive the message.
            if let Some(receipt) = receipt {
                batch.step(receipt.session, StepKind::Receipt(receipt, entry));
            }
            match audience {
                Audience::Lobby { except } => batch.lobby(&packet, except.as_slice(), entry),
                Audience::Others(except) => batch.lobby(&packet, &except, entry),
                Audience::Sessions(sessions) => {
                    batch.send(&packet, Receivers::These(sessions), Liveness::Live(entry))
                }
                Audience::Room { sessions, except } => {
                    batch.send(&packet, Receivers::Shared(sessions, except), Liveness::Live(entry))
                }
            }
        }
        Delivery::Keep(entry) => drop(batch.keep(entry)),
        Delivery::CatchUp { session, since, latest } => {
            batch.background(session, BackgroundJob::CatchUp { since, latest });
        }
        Delivery::Ask { session, echo, question } => {
            batch.background(session, BackgroundJob::Answer { echo, question });
        }
        Delivery::Multicast { session, echo, token } => {
            batch.background(session, BackgroundJob::Multicast { echo, token });
        }
        Delivery::Packet { audience: Audience::Lobby { except }, packet } => {
            batch.lobby(&packet, except.as_slice(), None);
        }
        Delivery::Packet { audience: Audience::Others(except), packet } => {
            batch.lobby(&packet, &except, None)
        }
        Delivery::Packet { audience: Audience::Sessions(sessions), packet } => {
            batch.send(&packet, Receivers::These(sessions), Liveness::Own);
        }
        Delivery::Packet { audience: Audience::Room { sessions, except }, packet } => {
            batch.send(&packet, Receivers::Shared(sessions, except), Liveness::Own);
        }
        Delivery::Answer(answer) => batch.answer(answer),
        Delivery::Follow(session) => batch.step(session, StepKind::Follow),
        Delivery::Close(session) => batch.step(session, StepKind::Close),
        Delivery::Status { session, echo } => batch.background(session, BackgroundJob::Status { echo }),
        Delivery::Charge { session, cost } => batch.step(session, StepKind::Charge(cost)),
        // The hub has passed these on to the transfers and the journal.
        Delivery::EndTransfer { .. } | Delivery::Refused(_) | Delivery::Visit(_) => {}
        Delivery::Log(what) => tracing::info!(event = "operator_acted", "{what}"),
        Delivery::LogSharedKey(what) => tracing::info!(event = "key_shared", "{what}"),
    }
}
