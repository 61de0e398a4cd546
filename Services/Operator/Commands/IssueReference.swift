import ArgumentParser
import ClubProtocol
import CommandKit
import ServiceKit

/// An issue as people name it: by its number, or by its identifier.
enum IssueReference: Hashable, ExpressibleByArgument {
    case number(Int)
    case id(Issue.ID)

    init?(argument: String) {
        if let number = Int(argument) {
            guard number > 0 else { return nil }
            self = .number(number)
        } else {
            guard let id = Issue.ID(argument: argument) else { return nil }
            self = .id(id)
        }
    }

    /// Asks for its identifier where it has only a number.
    ///
    /// - Throws: ``CommandFailure`` if no issue has the number; ``ServiceClientError``.
    func id(from content: ServiceClient) async throws -> Issue.ID {
        switch self {
        case .id(let id): return id
        case .number(let number):
            // Newest first, and people mostly ask about the newest.
            var cursor: Cursor?
            repeat {
                let page = try await content.send(ListIssues.request(query: .init(limit: 200, cursor: cursor)))
                if let issue = page.items.first(where: { $0.number == number }) { return issue.id }
                cursor = page.next
            } while cursor != nil
            throw CommandFailure("there is no issue with the number \(number); see `club issue list`")
        }
    }

    /// The issue itself.
    ///
    /// - Throws: as ``id(from:)`` does.
    func issue(from content: ServiceClient) async throws -> Issue {
        try await content.send(GetIssue.request(path: id(from: content)))
    }
}
