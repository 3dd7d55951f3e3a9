//! Describes the service in Rust; tonic-build writes its client and server.

use tonic_build::manual::{Builder, Method, Service};

fn main() {
    let method = |name: &str, route: &str| {
        Method::builder()
            .name(name)
            .route_name(route)
            .input_type("crate::Number")
            .output_type("crate::Number")
            .codec_path("tonic_prost::ProstCodec")
    };
    let service = Service::builder()
        .name("Numbers")
        .package("numbers")
        .method(method("double", "Double").build())
        .method(method("count_to", "CountTo").server_streaming().build())
        .method(method("sum", "Sum").client_streaming().build())
        .method(method("running_sum", "RunningSum").client_streaming().server_streaming().build())
        .build();
    Builder::new().compile(&[service]);
}
