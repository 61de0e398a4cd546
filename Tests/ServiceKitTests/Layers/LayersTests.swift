import Foundation
import Testing

/// Uses run downwards: each folder uses itself and the folders below it, in the order that `CONTRIBUTING.md` lists.
@Suite("layers")
struct LayersTests {
    private static let folders = [
        "Shared/ClubProtocol", "Shared/Postgres", "Shared/ServiceKit", "Services/Directory", "Services/Events",
        "Services/Content", "Services/Lobbying", "Services/Operator",
    ]

    /// Uses that run upwards and are known, by folder and direction: to become fewer.
    private static let known: [String: Set<String>] = [:]

    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// The layers of a folder, from top to bottom: in the list of the section, the names in code style.
    private static func order(of folder: String) throws -> [String] {
        let guide = try String(contentsOf: root.appending(path: "CONTRIBUTING.md"), encoding: .utf8)
        let section = try #require(
            guide.components(separatedBy: "\n## Layers\n").last?.components(separatedBy: "\n## ").first)
        let entry = try #require(section.components(separatedBy: "\n- ").first { $0.hasPrefix("`\(folder)`") })
        let names = entry.components(separatedBy: "`").enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
        return Array(names.dropFirst())
    }

    private static func sources(in folder: String) throws -> [String: String] {
        let base = root.appending(path: folder)
        let files = try FileManager.default.subpathsOfDirectory(atPath: base.path).filter { $0.hasSuffix(".swift") }
        return try Dictionary(
            uniqueKeysWithValues: files.map { ($0, try String(contentsOf: base.appending(path: $0), encoding: .utf8)) })
    }

    @Test("no folder uses what a folder above it declares", arguments: folders)
    func order(folder: String) throws {
        let layers = Layers(try Self.order(of: folder), try Self.sources(in: folder))
        #expect(layers.strays == [], "in no layer that CONTRIBUTING.md lists")
        #expect(layers.empty == [], "layers without files")
        // Guards against a reader that finds nothing.
        #expect(layers.uses().downward > 5)
        #expect(layers.faults(known: Self.known[folder] ?? []) == [])
    }

    @Test("a use that is turned upwards is found")
    func upward() throws {
        let order = try Self.order(of: "Shared/ServiceKit")
        var sources = try Self.sources(in: "Shared/ServiceKit")
        sources["Concurrency/Signal.swift", default: ""] +=
            "\nextension Signal { func wake(_ responder: Responder) {} }\n"
        sources["Jobs/JobKind.swift", default: ""] += "\nfunc describe(_ table: RouteTable) {}\n"
        let layers = Layers(order, sources)
        #expect(
            layers.faults() == ["Concurrency/Signal.swift uses Responder (Concurrency → HTTP/Routing)"])
        #expect(layers.faults(known: ["Concurrency → HTTP/Routing"]) == [])
        #expect(
            layers.faults(known: ["Concurrency → HTTP/Routing", "Concurrency → Jobs"])
                == ["Concurrency → Jobs is known, but there is no such use"])
    }

    @Test("types, functions, values and members of extensions count; comments, texts, private and nested names do not")
    func names() {
        let above = """
            struct Upper { enum State { case open } }
            func elevate() {}
            extension String { var elevated: String { self } }
            extension Upper { var own: Int { 1 } }
            private struct Hidden {}
            """
        func uses(_ code: String) -> [String] {
            Layers(["Above", "Below"], ["Above/A.swift": above, "Below/B.swift": code]).uses().upward.map(\.name)
                .sorted()
        }
        #expect(uses("let upper: Upper") == ["Upper"])
        #expect(uses("func f() { elevate() }") == ["elevate"])
        #expect(uses(#"let text = "a".elevated"#) == ["elevated"])
        #expect(uses(##"let text = "\("b \(Upper.self)")" + #"\#(elevate())"#"##) == ["Upper", "elevate"])
        #expect(
            uses("// Upper\n/* Upper */ let text = \"Upper\", other = \"\"\"\n Upper \"quoted\" elevate()\n\"\"\"")
                == [])
        #expect(uses("let hidden: Hidden, state: State, own = self.own") == [])
        #expect(uses("struct Lower { struct Upper {}; let upper: Upper }") == [])
        #expect(uses("let nested: Lower.Upper") == [])
    }
}
