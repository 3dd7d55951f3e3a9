//! hickory's resolver against hickory's server: over UDP and TCP, large answers, absent names, servers that say
//! nothing, and many questions at once.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::rdata::{A, AAAA, MX, SOA, TXT};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use hickory_server::Server;
use hickory_server::store::in_memory::InMemoryZoneHandler;
use hickory_server::zone_handler::{AxfrPolicy, Catalog, ZoneType};
use tokio::net::{TcpListener, UdpSocket};

fn name(text: &str) -> Name {
    Name::from_str(text).unwrap()
}

fn zone() -> Catalog {
    let origin = name("yamanote.example.");
    let mut zone = InMemoryZoneHandler::<TokioRuntimeProvider>::empty(
        origin.clone(),
        ZoneType::Primary,
        AxfrPolicy::Deny,
    );
    let mut add = |at: &str, data: RData| {
        let at = name(&format!("{at}yamanote.example."));
        assert!(zone.upsert_mut(Record::from_rdata(at, 300, data), 1));
    };
    let soa = SOA::new(name("ns.yamanote.example."), name("you.yamanote.example."), 1, 60, 60, 60, 60);
    add("", RData::SOA(soa));
    add("", RData::MX(MX::new(10, name("mail.yamanote.example."))));
    for i in 0..50 {
        add(&format!("station{i}."), RData::A(A(Ipv4Addr::new(10, 0, 0, i))));
    }
    add("tokyo.", RData::A(A(Ipv4Addr::new(10, 1, 1, 1))));
    add("tokyo.", RData::AAAA(AAAA(Ipv6Addr::LOCALHOST)));
    for i in 0..20 {
        // Together more than a datagram takes.
        add("long.", RData::TXT(TXT::new(vec![format!("{i:0>200}")])));
    }
    let mut catalog = Catalog::new();
    catalog.upsert(origin.into(), vec![Arc::new(zone)]);
    catalog
}

/// Both transports on the same port.
async fn start() -> (Server<Catalog>, SocketAddr) {
    loop {
        let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = udp.local_addr().unwrap();
        // Somebody else may have this port in TCP.
        let Ok(tcp) = TcpListener::bind(address).await else { continue };
        let mut server = Server::new(zone());
        server.register_socket(udp);
        server.register_listener(tcp, Duration::from_secs(60), 32);
        return (server, address);
    }
}

fn resolver(servers: &[(SocketAddr, &[ConnectionConfig])]) -> TokioResolver {
    let servers = servers.iter().map(|(address, connections)| {
        let mut connections = connections.to_vec();
        for connection in &mut connections {
            connection.port = address.port();
        }
        NameServerConfig::new(address.ip(), true, connections)
    });
    let config = ResolverConfig::from_parts(None, Vec::new(), servers.collect());
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    builder.options_mut().cache_size = 0;
    builder.options_mut().timeout = Duration::from_secs(10);
    builder.build().unwrap()
}

#[tokio::test]
async fn over_either_transport() {
    let (mut server, address) = start().await;
    for connection in [ConnectionConfig::udp(), ConnectionConfig::tcp()] {
        let resolver = resolver(&[(address, &[connection])]);
        let found = resolver.lookup_ip("tokyo.yamanote.example.").await.unwrap();
        let mut found: Vec<_> = found.iter().collect();
        found.sort();
        assert!(found.contains(&IpAddr::from([10, 1, 1, 1])), "{found:?}");
        let mail = resolver.mx_lookup("yamanote.example.").await.unwrap();
        let RData::MX(mail) = &mail.answers()[0].data else { panic!("{mail:?}") };
        assert_eq!(
            (mail.preference, mail.exchange.to_string().as_str()),
            (10, "mail.yamanote.example.")
        );
        let error = resolver.lookup_ip("nowhere.yamanote.example.").await.unwrap_err();
        assert!(error.is_no_records_found(), "{error:?}");
        // Somebody else's zone.
        resolver.lookup_ip("example.org.").await.unwrap_err();
    }
    server.shutdown_gracefully().await.unwrap();
}

#[tokio::test]
async fn what_is_too_long_for_a_datagram_comes_over_tcp() {
    let (mut server, address) = start().await;
    let resolver = resolver(&[(address, &[ConnectionConfig::udp(), ConnectionConfig::tcp()])]);
    let long = resolver.txt_lookup("long.yamanote.example.").await.unwrap();
    assert_eq!(long.answers().len(), 20);
    server.shutdown_gracefully().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_questions_at_once() {
    let (mut server, address) = start().await;
    let resolver = resolver(&[(address, &[ConnectionConfig::udp(), ConnectionConfig::tcp()])]);
    let mut tasks = tokio::task::JoinSet::new();
    for i in 0..200 {
        let resolver = resolver.clone();
        tasks.spawn(async move {
            let station = i % 50;
            let asked = format!("station{station}.yamanote.example.");
            let found = resolver.lookup(asked, RecordType::A).await.unwrap();
            assert_eq!(found.answers()[0].data, RData::A(A(Ipv4Addr::new(10, 0, 0, station))));
        });
    }
    while let Some(result) = tasks.join_next().await {
        result.unwrap();
    }
    server.shutdown_gracefully().await.unwrap();
}

#[tokio::test]
async fn a_server_that_says_nothing() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let nobody = silent.local_addr().unwrap();
    let mut connection = ConnectionConfig::udp();
    connection.port = nobody.port();
    let server = NameServerConfig::new(nobody.ip(), true, vec![connection]);
    let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    builder.options_mut().timeout = Duration::from_millis(100);
    builder.options_mut().attempts = 1;
    let resolver = builder.build().unwrap();
    let started = std::time::Instant::now();
    resolver.lookup("tokyo.yamanote.example.", RecordType::A).await.unwrap_err();
    assert!(started.elapsed() >= Duration::from_millis(100));
}
