//! Connects as tokio-console does, and sees what it shows.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use console_api::field::Value;
use console_api::instrument::instrument_client::InstrumentClient;
use console_api::instrument::{InstrumentRequest, Update};

/// What the updates told so far.
#[derive(Default)]
struct Seen {
    /// Names by span.
    names: BTreeMap<u64, String>,
    kinds: BTreeSet<String>,
    /// Types of resources by span.
    resources: BTreeMap<u64, String>,
    /// Polls and wakes of named tasks, and wakes by themselves.
    stats: BTreeMap<String, (u64, u64, u64)>,
    /// Where operations on resources come from.
    operations: BTreeSet<String>,
    /// Values of resources' attributes, by type and name.
    attributes: BTreeSet<(String, String)>,
    dropped: u64,
}

impl Seen {
    fn add(&mut self, update: Update) {
        let tasks = update.task_update.unwrap_or_default();
        self.dropped += tasks.dropped_events;
        for task in tasks.new_tasks {
            let id = task.id.unwrap().id;
            assert!(task.location.is_some(), "no location: {:?}", task.fields);
            for field in &task.fields {
                let Some(console_api::field::Name::StrName(name)) = &field.name else { continue };
                let Some(Value::DebugVal(value)) = &field.value else { continue };
                match name.as_str() {
                    "task.name" => drop(self.names.insert(id, value.clone())),
                    "kind" => drop(self.kinds.insert(value.clone())),
                    _ => {}
                }
            }
        }
        for (id, stats) in tasks.stats_update {
            let Some(name) = self.names.get(&id) else { continue };
            let polls = stats.poll_stats.map_or(0, |polls| polls.polls);
            self.stats.insert(name.clone(), (polls, stats.wakes, stats.self_wakes));
        }
        let resources = update.resource_update.unwrap_or_default();
        self.dropped += resources.dropped_events;
        for resource in resources.new_resources {
            self.resources.insert(resource.id.unwrap().id, resource.concrete_type);
        }
        for (id, stats) in resources.stats_update {
            let Some(concrete_type) = self.resources.get(&id) else { continue };
            for attribute in stats.attributes {
                if let Some(console_api::field::Name::StrName(name)) = attribute.field.unwrap().name {
                    self.attributes.insert((concrete_type.clone(), name));
                }
            }
        }
        let operations = update.async_op_update.unwrap_or_default();
        self.dropped += operations.dropped_events;
        self.operations.extend(operations.new_async_ops.into_iter().map(|operation| operation.source));
    }

    fn has_all(&self) -> bool {
        let polled =
            |name| self.stats.get(name).is_some_and(|(polls, wakes, _)| *polls > 2 && *wakes > 2);
        ["miner-1", "miner-2", "kitchen", "guest", "writer", "reader", "restless"]
            .into_iter()
            .all(polled)
            && ["task", "blocking"].into_iter().all(|kind| self.kinds.contains(kind))
            && ["Mutex", "RwLock", "Semaphore", "Barrier", "Sender|Receiver", "Sleep", "Interval"]
                .into_iter()
                .all(|resource| self.resources.values().any(|seen| seen == resource))
            && ["Mutex::lock", "RwLock::write", "Semaphore::acquire", "Barrier::wait", "Interval::tick"]
                .into_iter()
                .all(|source| self.operations.contains(source))
            && [("Mutex", "locked"), ("Sleep", "duration"), ("Barrier", "arrived")].into_iter().all(
                |(resource, name)| self.attributes.contains(&(resource.to_owned(), name.to_owned())),
            )
    }
}

#[test]
fn a_client_sees_tasks_and_resources() {
    // The port is free again when the server binds it; nothing else asks for ports here.
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    console_subscriber::ConsoleLayer::builder()
        .server_addr((Ipv4Addr::LOCALHOST, port))
        .publish_interval(Duration::from_millis(50))
        .init();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _entered = runtime.enter();
    console::run();
    let seen = runtime.block_on(async {
        let mut client = loop {
            // The server starts on a thread of its own.
            match InstrumentClient::connect(format!("http://127.0.0.1:{port}")).await {
                Ok(client) => break client,
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        };
        let mut updates = client.watch_updates(InstrumentRequest {}).await.unwrap().into_inner();
        let mut seen = Seen::default();
        while !seen.has_all() {
            seen.add(updates.message().await.unwrap().expect("the server ended"));
        }
        seen
    });
    assert_eq!(seen.dropped, 0);
    // Those that only wait never wake themselves, and one that does is found out.
    for name in ["miner-1", "guest", "writer"] {
        assert_eq!(seen.stats[name].2, 0, "{name} wakes itself");
    }
    assert!(seen.stats["restless"].2 > 0);
}
