import ClubProtocol
import HTTPTypes
import TestKit
import Testing

@testable import Directory

@Suite("the bytes of forms")
struct FormTextTests {
    @Test("no page accepts a form that is not UTF-8")
    func invalid() async throws {
        try await withDirectory { directory in
            // Operations without a body accept anything.
            let forms = DirectoryAPI.endpoints.filter { hasBody($0) }.map { $0.operation }.filter {
                $0.consumes == .form
            }
            #expect(forms.count >= 5)
            for form in forms {
                let path = form.segments.map { segment in
                    if case .word(let word) = segment { "/\(word)" } else { "/x" }
                }.joined()
                for bytes in [Array("note=caf".utf8) + [0xE9], Array("email=a".utf8) + [0xFF] + Array("@b.fr".utf8)] {
                    let answer = try await directory.raw(
                        form.method, path, headers: ["Content-Type": "application/x-www-form-urlencoded"], body: bytes)
                    #expect(answer.status == 400, "\(form.method) \(path)")
                    #expect(answer.headers["content-type"] == "text/html; charset=utf-8")
                }
            }
        }
    }

    private func hasBody<E: Endpoint>(_: E.Type) -> Bool { E.Body.self != Empty.self }
}
