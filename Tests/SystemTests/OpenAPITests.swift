import AsyncHTTPClient
import ClubProtocol
import Foundation
import NIOCore
import NIOHTTP1
import ServiceKit
import TestKit
import Testing

@Suite("OpenAPI", .serialized)
struct OpenAPITests {
    @Test("the documents in deploy/openapi are what the services serve; deploy/openapi/update writes them again")
    func committed() async throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("deploy/openapi")
        try await TestClub.run { club in
            for service in ServiceName.allCases {
                let response = try await HTTPClient.shared.execute(
                    HTTPClientRequest(url: "\(club[service].url)/openapi.json"), timeout: .seconds(10))
                let served = try Self.readable(await response.body.collect(upTo: 8 << 20))
                let file = folder.appendingPathComponent("\(service.rawValue).json")
                if ProcessInfo.processInfo.environment["UPDATE_OPENAPI"] != nil {
                    try served.write(to: file)
                }
                let committed = try Data(contentsOf: file)
                // As a Bool: printing both documents would not help, and comparing them takes minutes.
                let isCurrent = committed == served
                #expect(isCurrent, "\(service) differs: run deploy/openapi/update")
            }
        }
    }

    /// On many lines, so that a review shows what changed.
    private static func readable(_ document: ByteBuffer) throws -> Data {
        try JSONSerialization.data(
            withJSONObject: JSONSerialization.jsonObject(with: Data(document.readableBytesView)),
            options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]) + Data("\n".utf8)
    }
}
