//! Cold boots.

use crate::course::{Course, Step};
use crate::rig::Stimulus;
use lab::plan::Node;

pub(super) fn together(course: &mut Course<'_>, _active: Node) -> Step {
    both_off(course)?;
    for node in Node::ALL {
        course.apply(Stimulus::PowerOn(node))?;
    }
    course.settle().map(drop)
}

pub(super) fn a_first(course: &mut Course<'_>, _active: Node) -> Step {
    one_first(course, Node::A)
}

pub(super) fn b_first(course: &mut Course<'_>, _active: Node) -> Step {
    one_first(course, Node::B)
}

fn one_first(course: &mut Course<'_>, first: Node) -> Step {
    both_off(course)?;
    course.apply(Stimulus::PowerOn(first))?;
    course.settle_alone(first)?;
    course.apply(Stimulus::PowerOn(first.peer()))?;
    let active = course.settle()?;
    course.expect(active == first, "the node that came first stays active")
}

fn both_off(course: &mut Course<'_>) -> Step {
    for node in Node::ALL {
        course.apply(Stimulus::PowerOff(node))?;
    }
    Ok(())
}
