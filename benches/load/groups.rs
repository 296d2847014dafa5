//! Messages within groups: from person to person, and in rooms next to a lobby with as many receivers.

use super::chart;
use super::figures::{Figures, Table};
use super::kind::{Kind, Stage};
use super::options::{Plan, ROOMS};
use super::phases::{BYTES, PATIENCE, logins, per_client, warm_up};
use super::program::print;
use crate::rig::clients::Clients;
use crate::rig::groups::{Groups, Shape};
use crate::rig::keys::Keys;
use crate::rig::process::Process;
use crate::rig::say;
use anyhow::{Context, Result};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Messages of each sender under way unless it is said: in a room up to four send.
const WINDOW_OF_PAIR: u64 = 8;
const WINDOW_IN_ROOM: u64 = 2;

/// Pairs that write to each other, in turn and all at once.
pub fn directs(plan: &Plan, keys: &Rc<Keys>) -> Result<bool> {
    let mut tables = Vec::new();
    for clients in &plan.clients {
        let clients = (clients / 2).max(1) * 2;
        let what = format!("{} pairs", clients / 2);
        tables.push(Table::measure(plan, what, clients, |kind| {
            let mut figures = Figures::default();
            let window = plan.window.unwrap_or(WINDOW_OF_PAIR);
            let run = converse(plan, keys, kind, (Shape::Pairs, clients), &[1, window], &mut figures)?;
            figures.put("alone_us", run.alone.ns / 1e3);
            figures.put("single_us", run.floods[0].ns / 1e3);
            figures.put("single_rate", run.floods[0].rate);
            figures.put("busy_us", run.floods[1].ns / 1e3);
            figures.put("busy_rate", run.floods[1].rate);
            Ok(figures)
        })?);
    }
    print(plan, &tables, &chart::DIRECTS)
}

/// Rooms, each kind of them next to a lobby with as many receivers.
pub fn rooms(plan: &Plan, keys: &Rc<Keys>) -> Result<bool> {
    let mut tables = Vec::new();
    for (rooms, members) in ROOMS {
        let what = format!("{rooms} rooms of {members}");
        tables.push(Table::measure(plan, what, rooms * members, |kind| {
            let mut figures = Figures::default();
            let window = [plan.window.unwrap_or(WINDOW_IN_ROOM)];
            let lobby = converse(plan, keys, kind, (Shape::Lobby, members), &window, &mut figures)?;
            let room = (Shape::Rooms(members), rooms * members);
            let room = converse(plan, keys, kind, room, &window, &mut figures)?;
            figures.put("lobby_alone_ns", lobby.alone.ns);
            figures.put("room_alone_ns", room.alone.ns);
            figures.put("room_alone_x", room.alone.ns / lobby.alone.ns);
            figures.put("lobby_busy_ns", lobby.floods[0].ns);
            figures.put("room_busy_ns", room.floods[0].ns);
            figures.put("room_busy_x", room.floods[0].ns / lobby.floods[0].ns);
            figures.put("busy_rate", room.floods[0].rate);
            Ok(figures)
        })?);
    }
    print(plan, &tables, &chart::ROOMS)
}

/// One message at a time, and a flood with each window.
struct Run {
    alone: Cost,
    floods: Vec<Cost>,
}

/// Server CPU a delivery, and deliveries a second.
struct Cost {
    ns: f64,
    rate: f64,
}

/// Starts a server, lets clients join their groups, and measures both.
fn converse(
    plan: &Plan,
    keys: &Rc<Keys>,
    kind: Kind,
    (shape, count): (Shape, usize),
    windows: &[u64],
    figures: &mut Figures,
) -> Result<Run> {
    let stage = Stage::with_groups(kind, count, keys, plan.cpus)?;
    let process = stage.server.process;
    warm_up(&stage)?;
    let bare = process.memory()?;
    let mut clients = stage.clients()?;
    logins(&mut clients, process, count)?;
    clients.group(Some(Groups::new(shape, count, BYTES)))?;
    // Presence is told within a second.
    clients.idle(Duration::from_millis(2500))?;
    figures.put("idle_bytes", per_client(process.memory()?, bare, count));
    let alone = Cost::of(&mut clients, process, |clients| in_turn(clients, plan.paced / 3))?;
    let flood_of =
        |window: &u64| Cost::of(&mut clients, process, |clients| flood(clients, *window, plan.flood * 2));
    let floods: Vec<Cost> = windows.iter().map(flood_of).collect::<Result<_>>()?;
    let busy: Vec<_> = floods.iter().map(|cost| cost.ns.round()).collect();
    say(&format!("  {count} clients: {:.0} ns a delivery alone, {busy:?} ns in floods", alone.ns));
    clients.idle(Duration::from_secs(1))?;
    figures.put("flood_bytes", per_client(process.memory()?, bare, count));
    figures.count(&clients.tally);
    Ok(Run { alone, floods })
}

impl Cost {
    fn of(
        clients: &mut Clients,
        process: Process,
        run: impl FnOnce(&mut Clients) -> Result<()>,
    ) -> Result<Self> {
        let (cpu, before, started) = (process.cpu()?, clients.tally.deliveries, Instant::now());
        run(clients)?;
        let deliveries = (clients.tally.deliveries - before).max(1) as f64;
        let rate = deliveries / started.elapsed().as_secs_f64();
        Ok(Self { ns: (process.cpu()? - cpu).as_nanos() as f64 / deliveries, rate })
    }
}

/// The groups take turns: the next message is sent when the last one is everywhere. The clients never
/// sleep, so that the server pays for no wake-ups.
fn in_turn(clients: &mut Clients, time: Duration) -> Result<()> {
    let end = Instant::now() + time;
    let mut firsts = groups(clients)?.firsts().cycle();
    while let Some(first) = firsts.next().filter(|_| Instant::now() < end) {
        clients.send_to_group(first)?;
        settle(clients, Duration::ZERO, |groups| groups.is_settled(first))?;
    }
    Ok(())
}

/// All senders of all groups at once, each with so many messages under way.
fn flood(clients: &mut Clients, window: u64, time: Duration) -> Result<()> {
    let groups = clients.groups.as_mut().context("no groups")?;
    groups.window = window;
    let end = Instant::now() + time;
    for n in 0..clients.peers.len() {
        clients.push(n)?;
    }
    while Instant::now() < end {
        clients.turn(Duration::from_millis(5))?;
    }
    clients.groups.as_mut().context("no groups")?.window = 0;
    settle(clients, Duration::from_millis(5), |groups| groups.outstanding() == 0)
}

/// Reads until all is settled, or nothing came for some time: then it is lost.
fn settle(clients: &mut Clients, pause: Duration, is_settled: impl Fn(&Groups) -> bool) -> Result<()> {
    let mut last = (clients.tally.deliveries, Instant::now());
    while !is_settled(groups(clients)?) {
        clients.turn(pause)?;
        if clients.tally.deliveries > last.0 {
            last = (clients.tally.deliveries, Instant::now());
        } else if last.1.elapsed() > PATIENCE {
            clients.tally.lost += groups(clients)?.outstanding();
            break;
        }
    }
    Ok(())
}

fn groups(clients: &Clients) -> Result<&Groups> {
    clients.groups.as_ref().context("no groups")
}
