//! Bytes taken out of a segment, or copied within it: what is good there is sent, and stays until it is.

use super::*;

/// The first is larger than any other, and the second has more records than the last.
const NUMBERS: [u32; 4] = [10, 4, 3, 2];

/// A buffer with one segment.
fn filled(bench: &mut Bench) -> (Disk, PathBuf) {
    let mut disk = bench.open();
    for number in NUMBERS {
        bench.stats.accept(u64::from(number));
        disk.append(&[payload(number, number)]).expect("room");
        bench.stats.store(u64::from(number));
    }
    let mut segments = bench.segments();
    assert_eq!(segments.len(), 1);
    (disk, segments.remove(0))
}

/// Takes bytes out of the first payload: as many as the second frame has, so that the third begins where
/// the first should end.
fn take_out(path: &PathBuf) {
    let (frames, mut bytes) = (frames(path), fs::read(path).expect("read"));
    let (second, third) = (frames[1].1, frames[2].1);
    bytes.drain(second - (third - second) - 100..second - 100);
    assert_eq!(bytes[second..second + 8], bytes[..8], "the marker");
    fs::write(path, bytes).expect("written");
}

#[test]
fn s31_what_a_damaged_payload_hides_by_its_length_is_sent() {
    let mut bench = Bench::new();
    let (disk, path) = filled(&mut bench);
    drop(disk);
    take_out(&path);
    drop(bench.open());
    assert_eq!(bench.lost(), 0, "what it may have cost is not known before it is read");
    let mut disk = bench.open();
    assert_eq!(bench.drain(&mut disk), [4, 3, 2]);
    assert_eq!((bench.lost(), bench.segments().len()), (10, 0));
}

#[test]
fn s31_what_a_payload_hides_that_was_sent_before_it_was_damaged_is_sent() {
    let mut bench = Bench::new();
    let (mut disk, path) = filled(&mut bench);
    let (number, place) = bench.take(&mut disk).expect("there");
    disk.done(place);
    drop(disk);
    assert_eq!(number, 10);
    take_out(&path);
    let mut disk = bench.open();
    assert_eq!(bench.drain(&mut disk), [4, 3, 2]);
    assert_eq!((bench.lost(), bench.segments().len()), (0, 0));
}

#[test]
fn s31_a_segment_that_shrank_while_it_was_written_is_left_for_another() {
    let mut bench = Bench::new();
    let (mut disk, path) = filled(&mut bench);
    take_out(&path);
    assert_eq!(bench.drain(&mut disk), [4, 3, 2]);
    let waiting = &bench.stats.buffer.waiting;
    assert_eq!((bench.lost(), bench.segments().len(), waiting.load(Relaxed)), (10, 0, false));
    bench.stats.accept(7);
    disk.append(&[payload(7, 7)]).expect("room");
    bench.stats.store(7);
    assert_eq!(bench.drain(&mut disk), [7]);
    assert_eq!(bench.lost(), 10);
}

/// A disk that wrote to the wrong place: what comes twice is not counted as what else waits.
#[test]
fn s31_a_frame_that_was_copied_over_another_costs_only_that() {
    let mut bench = Bench::new();
    let (disk, path) = filled(&mut bench);
    drop(disk);
    let (last, mut bytes) = (frames(&path)[3].1, fs::read(&path).expect("read"));
    bytes.copy_within(last.., 100);
    fs::write(&path, bytes).expect("written");
    let mut disk = bench.open();
    assert_eq!(bench.drain(&mut disk), [2, 4, 3, 2]);
    assert_eq!((bench.lost(), bench.segments().len(), bench.stats.unaccounted()), (10, 0, 0));
}
