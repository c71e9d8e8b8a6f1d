//! Cold boots.

use crate::course::{Course, OnRig, Step};
use lab::plan::Node;
use lab::stimulus::Stimulus;

pub(super) fn together(course: &mut Course, _active: Node) -> Step {
    both_off(course)?;
    for node in Node::ALL {
        course.apply(Stimulus::PowerOn(node))?;
    }
    course.settle().map(drop)
}

pub(super) fn a_first(course: &mut Course, _active: Node) -> Step {
    one_first(course, Node::A)
}

pub(super) fn b_first(course: &mut Course, _active: Node) -> Step {
    one_first(course, Node::B)
}

fn one_first(course: &mut Course, first: Node) -> Step {
    both_off(course)?;
    course.apply(Stimulus::PowerOn(first))?;
    course.settle_alone(first)?;
    course.apply(Stimulus::PowerOn(first.peer()))?;
    let active = course.settle()?;
    course.expect(active == first, "the node that came first stays active")
}

fn both_off(course: &mut Course) -> Step {
    for node in Node::ALL {
        course.apply(Stimulus::PowerOff(node))?;
    }
    Ok(())
}
