//! The command line on an offline root: what a person sees, and with which exit status. Needs neither
//! root nor systemd, nginx or Docker.

mod adopt;
mod bad_input;
mod bad_tree;
mod brought_in;
mod capture;
mod check;
mod columns;
mod confirm;
mod contents;
mod day;
mod doctor;
mod documents;
mod elsewhere;
mod environment;
mod firewall;
mod generations;
mod init;
mod layouts;
mod levels;
mod logs;
mod machines;
mod merge;
mod new_service;
mod offline;
mod overlay;
mod prune;
mod records;
mod repositories;
mod routes;
#[path = "../shared/schema.rs"]
mod schema;
mod secrets;
mod settings;
mod speed;
mod stacks;
mod strangers;
mod support;

mod untrusted;
mod usage;
mod workflow;
