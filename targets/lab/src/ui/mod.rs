//! The live picture of the pair, and the keys that do things to it.

mod draw;
mod keys;
mod picture;

use crate::gaps::Gap;
use crate::lab_course::Course;
use crate::plan::Node;
use keys::{Action, action};
use picture::Picture;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Time between two pictures.
const REFRESH_PERIOD: Duration = Duration::from_millis(100);
/// Gaps from this length on are named in the list of events.
const NAMED_GAP: Duration = Duration::from_millis(5);

/// Shows the pair until the user quits.
pub(crate) fn run(mut course: Course, interrupted: &AtomicBool) -> io::Result<()> {
    for node in Node::ALL {
        course.pair.start(node)?;
    }
    let mut terminal = ratatui::try_init()?;
    let outcome = show(&mut terminal, &mut course, interrupted);
    ratatui::restore();
    outcome
}

fn show(terminal: &mut DefaultTerminal, course: &mut Course, interrupted: &AtomicBool) -> io::Result<()> {
    let begin = Instant::now();
    let mut gaps_named_until = begin;
    while !interrupted.load(Ordering::Relaxed) {
        let drawn = Instant::now();
        name_new_gaps(course, &mut gaps_named_until);
        let picture = Picture::take(course, begin);
        terminal.draw(|frame| draw::draw(frame, &picture))?;
        while let Some(left) = REFRESH_PERIOD.checked_sub(drawn.elapsed())
            && event::poll(left)?
        {
            if let Event::Key(key) = event::read()?
                && let Some(action) = action(key)
            {
                if action == Action::Quit {
                    return Ok(());
                }
                if let Err(reason) = keys::perform(action, &mut course.pair) {
                    course.pair.timeline.note(format_args!("not done: {reason}"));
                }
                break;
            }
        }
    }
    Ok(())
}

fn name_new_gaps(course: &mut Course, named_until: &mut Instant) {
    for gap in course.pair.phone_view(*named_until).gaps {
        *named_until = gap.end;
        if gap.length() >= NAMED_GAP || gap.before != gap.after {
            course.pair.timeline.note(gap_line(&gap));
        }
    }
}

fn gap_line(gap: &Gap) -> String {
    let ms = gap.length().as_secs_f64() * 1000.0;
    format!("phone: {} to {}, gap of {ms:.1} ms", gap.before, gap.after)
}
