//! Frames and packets: cutting, reading, writing.

use super::crowd::{Crowd, Kind};
use divan::{Bencher, black_box};
use lanchat::chat::Delivery;
use lanchat::name::Name;
use lanchat::protocol::Packet;
use lanchat::protocol::codec::Decoder;
use lanchat::protocol::request::{ClientPacket, Request};
use std::ops::ControlFlow;

/// 128 bytes of text, as the load bench has it.
fn chat_frame() -> String {
    format!(r#"{{"from":{{"name":"user7"}},"to":"all","msg":"{}","id":"1234"}}"#, "x".repeat(128))
}

/// The packets that a step of the rules gave.
fn packets(crowd: &Crowd) -> Vec<Packet> {
    let packet = |delivery: &Delivery| match delivery {
        Delivery::Packet { packet, .. } | Delivery::Message { packet, .. } => Some((**packet).clone()),
        Delivery::Answer(answer) => Some((**answer).clone().into_packet()),
        _ => None,
    };
    crowd.out.iter().filter_map(packet).collect()
}

#[divan::bench]
fn decode_64_frames(bencher: Bencher<'_, '_>) {
    let chunk = format!("{}\n", chat_frame()).repeat(64);
    bencher.counter(divan::counter::BytesCount::of_str(&chunk)).bench(|| {
        let mut frames = 0;
        let _ = Decoder::default().decode(black_box(chunk.as_bytes()), |_| {
            frames += 1;
            ControlFlow::Continue(())
        });
        frames
    });
}

#[divan::bench]
fn parse_hello(bencher: Bencher<'_, '_>) {
    let frame = Kind::Token.hello(1234);
    bencher.bench(|| ClientPacket::parse(black_box(frame.as_bytes())));
}

#[divan::bench]
fn parse_chat(bencher: Bencher<'_, '_>) {
    let frame = chat_frame();
    bencher.bench(|| ClientPacket::parse(black_box(frame.as_bytes())));
}

#[divan::bench]
fn understand_chat(bencher: Bencher<'_, '_>) {
    let packet = ClientPacket::parse(chat_frame().as_bytes()).expect("a packet");
    bencher.bench(|| Request::from_packet(black_box(&packet)));
}

#[divan::bench]
fn write_welcome(bencher: Bencher<'_, '_>) {
    let mut crowd = Crowd::new(Kind::Local, 100);
    crowd.login();
    let packets = packets(&crowd);
    let mut frame = Vec::with_capacity(4096);
    bencher.bench_local(|| {
        frame.clear();
        black_box(&packets).iter().for_each(|packet| packet.write_to(&mut frame));
    });
}

#[divan::bench]
fn write_chat(bencher: Bencher<'_, '_>) {
    let mut crowd = Crowd::new(Kind::Local, 100);
    let id = crowd.login();
    crowd.send(id, &ClientPacket::parse(chat_frame().as_bytes()).expect("a packet"));
    let packets = packets(&crowd);
    let mut frame = Vec::with_capacity(4096);
    bencher.bench_local(|| {
        frame.clear();
        black_box(&packets).iter().for_each(|packet| packet.write_to(&mut frame));
    });
}

#[divan::bench(args = ["user1234", "Müller", "山田太郎"])]
fn check_name(name: &str) -> Option<Name> {
    Name::new(black_box(name)).ok()
}

#[divan::bench(args = ["user1234", "Müller", "山田太郎"])]
fn likeness_of_name(bencher: Bencher<'_, '_>, name: &str) {
    let name = Name::new(name).expect("a name");
    bencher.bench(|| black_box(&name).likeness());
}
