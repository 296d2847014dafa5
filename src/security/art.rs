//! A fingerprint as a picture, in which two fingerprints rarely look alike.
//!
//! It helps people who already know the picture, and proves nothing: for that, they compare the digits.

use crate::fingerprint::Fingerprint;
use std::fmt::Write as _;

/// Columns of the picture without its frame.
const WIDTH: usize = 17;

/// Rows of the picture without its frame.
const HEIGHT: usize = 9;

/// Characters for the number of visits to a field; the last one for all higher numbers.
const INK: [char; 14] = [' ', '.', ':', '-', '=', '+', '*', 'x', 'o', 'O', '8', '%', '#', '@'];

/// Where the walk begins and ends.
const ENDS: (char, char) = ('S', 'E');

/// Draws the picture: 11 lines of 19 characters.
///
/// Each two bits of the fingerprint are a diagonal step from the middle, the lowest bits of each byte first:
/// bit 0 is 1 for right, bit 1 is 1 for down. At a wall, the walk continues along it. The picture shows how
/// often it visited each field.
pub fn draw(fingerprint: &Fingerprint) -> String {
    let mut visits = [[0_usize; WIDTH]; HEIGHT];
    let start = (WIDTH / 2, HEIGHT / 2);
    let (mut column, mut row) = start;
    for byte in fingerprint.as_bytes() {
        for shift in [0, 2, 4, 6] {
            let step = byte >> shift;
            column = walk(column, step & 1 == 1, WIDTH);
            row = walk(row, step & 2 == 2, HEIGHT);
            visits[row][column] += 1;
        }
    }
    let frame = |title: &str| format!("+{title:-^WIDTH$}+\n");
    let mut picture = frame("[lanchat]");
    for (y, fields) in visits.iter().enumerate() {
        let line = fields.iter().enumerate().map(|(x, visits)| match (x, y) {
            at if at == (column, row) => ENDS.1,
            at if at == start => ENDS.0,
            _ => INK[(*visits).min(INK.len() - 1)],
        });
        // Writing to a string never fails.
        let _ = writeln!(picture, "|{}|", line.collect::<String>());
    }
    picture + &frame("[SHA256]")
}

/// One step along one axis of `length` fields.
fn walk(at: usize, forward: bool, length: usize) -> usize {
    if forward { (at + 1).min(length - 1) } else { at.saturating_sub(1) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_walk_keeps_to_the_walls() {
        // Left and up, 128 times: into the corner, and no further.
        let picture = draw(&Fingerprint::new([0; 32]));
        let lines: Vec<&str> = picture.lines().collect();
        assert_eq!(lines[0], "+----[lanchat]----+");
        assert_eq!(lines[10], "+----[SHA256]-----+");
        assert_eq!(lines[1], "|E....            |");
        assert_eq!(lines[2], "|     .           |");
        assert_eq!(lines[5], "|        S        |");
        // Right and down: the opposite corner.
        let picture = draw(&Fingerprint::new([0xff; 32]));
        assert_eq!(picture.lines().nth(9).unwrap(), "|            ....E|");
    }

    proptest! {
        #[test]
        fn every_picture_has_its_size_and_its_ends(hash: [u8; 32]) {
            let picture = draw(&Fingerprint::new(hash));
            prop_assert_eq!(picture.lines().count(), HEIGHT + 2);
            prop_assert!(picture.lines().all(|line| line.chars().count() == WIDTH + 2));
            let inside: String = picture.lines().skip(1).take(HEIGHT).collect();
            prop_assert_eq!(inside.matches('E').count(), 1);
        }
    }
}
