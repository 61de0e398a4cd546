import ClubProtocol
import ServiceKit

/// The letters of the directory, which content sends. Only jobs post: no request waits for another service.
struct LetterClient: Sendable {
    private let backend: Backend
    /// Where the public reaches the directory.
    private let address: String

    /// - Throws: ``ConfigurationProblem`` when `PUBLIC_URL` is nothing that a mail could lead to.
    init(backend: Backend) throws {
        self.backend = backend
        address = backend.configuration.publicAddress
        do {
            _ = try WebAddress(validating: address)
        } catch {
            throw ConfigurationProblem("PUBLIC_URL", "cannot stand in a mail: its host needs a domain or an IP address")
        }
    }

    /// The address of a page of this service.
    func link(_ path: String) throws -> WebAddress { try WebAddress(validating: address + path) }

    /// Hands a letter over to content, which sends it once however often this is done.
    ///
    /// - Throws: `ServiceClientError` while content does not answer; ``JobDiscard`` when it will not take this letter.
    func send(_ letter: SendLetter.Body) async throws {
        do {
            _ = try await backend.peers[.content].send(SendLetter.request(body: letter))
        } catch ServiceClientError.problem(let document) where (400..<500).contains(document.status) {
            guard ![401, 403, 408, 429].contains(document.status) else {
                throw ServiceClientError.problem(document)
            }
            throw JobDiscard("content refused the letter: \(document.slug)")
        }
    }
}

extension ServiceConfiguration {
    /// Where the public reaches the directory; the own address where nobody has said.
    var publicAddress: String { publicURL ?? "http://\(host):\(port)" }
}
