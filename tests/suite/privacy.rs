//! What nobody may see: phone numbers, payloads, metadata, names and addresses. Whatever takes them
//! in is sent them, marked, and everything that leaves a process or stays behind is searched for the
//! marks in all forms that are known.

mod arrivals;
mod calls;
mod job_commands;
mod marks;
mod refused_rows;
mod sinks;
mod stage;
mod whole_way;
