// swift-tools-version: 6.2
import PackageDescription

/// What every test target may use.
let shared = ["ClubProtocol", "Postgres", "ServiceKit", "TestKit"]

let package = Package(
    name: "club",
    products: [
        .executable(name: "directory", targets: ["Directory"]),
        .executable(name: "events", targets: ["Events"]),
        .executable(name: "content", targets: ["Content"]),
        .executable(name: "lobbying", targets: ["Lobbying"]),
        .executable(name: "club", targets: ["Operator"]),
        .executable(name: "demo", targets: ["Demo"]),
    ],
    // Each dependency, and why it is here.
    dependencies: [
        // The listeners of the HTTP server: its core, without router and context.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        // HTTP methods, statuses and header fields as types, shared by server, client and protocol.
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
        // The HTTP client for calls between services and for the operator's command line.
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        // Event loops and channel handlers under both; STARTTLS and SMTP are spoken on it.
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        // TLS for SMTP submission.
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        // Start, run and graceful shutdown of everything in a process.
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        // Flags over environment over file, secrets kept out of logs.
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: []),
        // The logging and metrics facades that our back ends stand behind.
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        // Command lines with help texts.
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        // JSON web tokens of another maker, which ours are tested against.
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
        // Hashes, HMAC and Ed25519 keys; the RSA keys of OpenID providers.
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        // Templates of another maker, which ours are tested against.
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        // Deques: queues whose head is taken without moving the rest.
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        // What is in memory as an asynchronous sequence, where an upload wants one.
        .package(url: "https://github.com/apple/swift-async-algorithms", from: "1.1.4"),
        // The command that builds the documentation; part of no product.
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
    ],
    targets: [
        .systemLibrary(
            name: "CIdn2", path: "Shared/CIdn2", pkgConfig: "libidn2", providers: [.apt(["libidn2-dev"])]),
        .target(
            name: "ClubProtocol",
            dependencies: ["CIdn2", .product(name: "HTTPTypes", package: "swift-http-types")],
            path: "Shared/ClubProtocol"),
        .target(
            name: "Postgres",
            dependencies: [
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            path: "Shared/Postgres",
            swiftSettings: [.strictMemorySafety()]),
        .systemLibrary(
            name: "CPango", path: "Shared/CPango", pkgConfig: "pangocairo", providers: [.apt(["libpango1.0-dev"])]),
        .systemLibrary(
            name: "CXML2", path: "Shared/CXML2", pkgConfig: "libxml-2.0", providers: [.apt(["libxml2-dev"])]),
        .target(
            name: "Documents", dependencies: ["CPango"], path: "Shared/Documents",
            swiftSettings: [.strictMemorySafety()]),
        .target(
            name: "ServiceKit",
            dependencies: [
                "ClubProtocol", "Postgres",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            path: "Shared/ServiceKit",
            resources: [.embedInCode("Migrations"), .embedInCode("Templates/service_page.mustache")]),
        service(
            "Directory",
            [
                "CPango", "CXML2", "Documents",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ], templates: true),
        service("Events"),
        service(
            "Content",
            [
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ], templates: true),
        service("Lobbying"),
        .target(
            name: "CommandKit",
            dependencies: [
                "ClubProtocol", "ServiceKit", .product(name: "AsyncHTTPClient", package: "async-http-client"),
            ],
            path: "Shared/CommandKit"),
        .executableTarget(
            name: "Demo",
            dependencies: [
                "ClubProtocol", "CommandKit", "ServiceKit",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncAlgorithms", package: "swift-async-algorithms"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            path: "Services/Demo"),
        .executableTarget(
            name: "Operator",
            dependencies: [
                "ClubProtocol", "CommandKit", "ServiceKit",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOFoundationCompat", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            path: "Services/Operator"),

        .executableTarget(
            name: "Microbenchmarks", dependencies: ["ClubProtocol", "Postgres", "ServiceKit"],
            path: "Tests/Benchmarks/Microbenchmarks"),
        .target(
            name: "TestKit",
            dependencies: [
                "ClubProtocol", "Postgres", "ServiceKit",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            path: "Tests/TestKit"),
        test("ClubProtocol"),
        test("Documents"),
        test(
            "Postgres",
            testing: [
                "Postgres", .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ]),
        test(
            "ServiceKit",
            testing: [
                "ServiceKit",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "JWTKit", package: "jwt-kit"),
                .product(name: "Mustache", package: "swift-mustache"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        test("Directory", testing: ["Directory", "Content"]),
        test("Events"),
        test(
            "Content",
            testing: [
                "Content", "Directory", .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ]),
        test("Lobbying"),
        test("CommandKit"),
        test("Demo"),
        test(
            "Operator", testing: ["Operator", .product(name: "ArgumentParser", package: "swift-argument-parser")]),
        test("System", testing: []),
    ],
    swiftLanguageModes: [.v6]
)

/// An executable of its own, over what every service gets.
func service(_ name: String, _ more: [Target.Dependency] = [], templates: Bool = false) -> Target {
    .executableTarget(
        name: name,
        dependencies: [
            "ClubProtocol", "Postgres", "ServiceKit",
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
        ] + more,
        path: "Services/\(name)",
        resources: [.embedInCode("Migrations")] + (templates ? [.embedInCode("Templates")] : []))
}

/// The tests that stand beside a target.
func test(_ name: String, testing targets: [Target.Dependency]? = nil) -> Target {
    .testTarget(
        name: "\(name)Tests",
        dependencies: (targets ?? [.target(name: name)]) + shared.filter { $0 != name }.map { .target(name: $0) } + [
            .product(name: "AsyncHTTPClient", package: "async-http-client"),
            .product(name: "Crypto", package: "swift-crypto"),
            .product(name: "CryptoExtras", package: "swift-crypto"),
            .product(name: "HTTPTypes", package: "swift-http-types"),
            .product(name: "Logging", package: "swift-log"),
            .product(name: "NIOCore", package: "swift-nio"),
            .product(name: "NIOHTTP1", package: "swift-nio"),
        ],
        path: "Tests/\(name)Tests")
}

for target in package.targets where target.type != .system {
    target.swiftSettings =
        (target.swiftSettings ?? []) + [
            .enableUpcomingFeature("ExistentialAny"),
            .enableUpcomingFeature("MemberImportVisibility"),
            .enableUpcomingFeature("InternalImportsByDefault"),
            .treatAllWarnings(as: .error),
        ]
}
