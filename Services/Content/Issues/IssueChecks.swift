import ClubProtocol
import Postgres
import ServiceKit

/// What an editor should know before an issue is sent.
struct IssueChecks: Sendable {
    /// Mail programs on telephones show no more of a subject.
    private static let longestSubject = 60
    /// Gmail cuts off what is longer than 102 KB; the headers and the encoding are counted too.
    private static let longestMail = 90 << 10

    /// Whether mails say who sends them.
    let hasSender: Bool
    let publicURL: String?
    let renderer: FlashInfoRenderer

    /// What is wrong with an issue, errors first.
    ///
    /// - Parameter time: when it would be sent; nil if that is at once.
    func findings(
        of issue: Issue, at time: Timestamp? = nil, on executor: any PostgresExecutor
    ) async throws -> [IssueFinding] {
        let time = time ?? .now
        let resources = try await IssueStore.resources(of: issue.id, on: executor)
        var findings = editions(issue) + sender()
        for (index, item) in issue.items.enumerated() {
            findings += closed(item, "/items/\(index)/resource", resources, time)
        }
        if issue.title.text.unicodeScalars.count > Self.longestSubject {
            findings.append(
                .init(
                    .longSubject, "/title",
                    "The subject has \(issue.title.text.unicodeScalars.count) characters; mail programs show "
                        + "\(Self.longestSubject)."))
        }
        if let number = try await IssueStore.number(ofIssueLike: issue, on: executor) {
            findings.append(.init(.repeatedTitle, "/title", "Issue \(number) had the same title."))
        }
        findings += items(issue) + length(issue)
        return findings.filter { $0.severity == .error } + findings.filter { $0.severity == .warning }
    }

    // MARK: The whole

    private func editions(_ issue: Issue) -> [IssueFinding] {
        // It goes only to those whose edition had what is corrected.
        if issue.erratumOf != nil {
            return issue.items.isEmpty ? [.init(.noItem, "/items", "The erratum has no item.")] : []
        }
        return Edition.Audience.allCases.filter { audience in
            !issue.items.contains { $0.audiences.contains(audience) }
        }.map { .init(.noItem, "/items", "No item is for \($0.rawValue).") }
    }

    private func sender() -> [IssueFinding] {
        var findings: [IssueFinding] = []
        if !hasSender {
            findings.append(
                .init(.noSender, "SENDER_FILE", "SENDER_FILE is not set: the mails would not say who sends them."))
        }
        if let publicURL {
            if !publicURL.hasBytePrefix("https://") {
                findings.append(
                    .init(
                        .insecurePublicURL, "PUBLIC_URL",
                        "PUBLIC_URL is not https: mail programs offer no way to leave with one click."))
            }
        } else {
            findings.append(
                .init(.noPublicURL, "PUBLIC_URL", "PUBLIC_URL is not set: readers cannot leave by a link."))
        }
        return findings
    }

    private func length(_ issue: Issue) -> [IssueFinding] {
        for audience in Edition.Audience.allCases {
            let body = renderer.body(of: issue, showing: { $0.audiences.contains(audience) }, unsubscribe: "mailto:")
            let length = body.html.utf8.count
            if length > Self.longestMail {
                return [
                    .init(
                        .longMail, "/items",
                        "The mail for \(audience.rawValue) has \(length >> 10) KB; Gmail cuts off what is longer than "
                            + "\(Self.longestMail >> 10) KB, and the link to leave with it.")
                ]
            }
        }
        return []
    }

    // MARK: Items

    private func closed(
        _ item: IssueItem, _ pointer: String, _ resources: [Resource.ID: IssueStore.ItemResource], _ time: Timestamp
    ) -> [IssueFinding] {
        guard let resource = item.resource.flatMap({ resources[$0] }) else { return [] }
        var findings: [IssueFinding] = []
        if let end = resource.embargoUntil, end > time {
            findings.append(
                .init(
                    .resourceEmbargoed, pointer,
                    "The resource of “\(item.title)” is under an embargo until \(end.text).", item: item.id))
        }
        if let end = resource.expiresAt, end <= time {
            findings.append(
                .init(
                    .resourceExpired, pointer, "The resource of “\(item.title)” expires at \(end.text).", item: item.id)
            )
        }
        return findings
    }

    private func items(_ issue: Issue) -> [IssueFinding] {
        var findings: [IssueFinding] = []
        var titles: [String: Set<Edition.Audience>] = [:]
        for (index, item) in issue.items.enumerated() {
            let pointer = "/items/\(index)"
            func add(_ code: IssueFinding.Code, _ member: String, _ detail: String) {
                findings.append(.init(code, "\(pointer)/\(member)", detail, item: item.id))
            }
            let title = item.title.text.asciiLowercased
            if let link = item.link {
                if !link.text.asciiLowercased.hasBytePrefix("https://") {
                    add(.insecureLink, "link", "The link of “\(item.title)” is not https.")
                }
            } else {
                add(.noLink, "link", "“\(item.title)” has no link.")
            }
            if String(item.text.text.trimmingBlanks).asciiLowercased.hasSameBytes(as: title) {
                add(.noText, "text", "The text of “\(item.title)” only repeats its title.")
            }
            if titles[title]?.isDisjoint(with: item.audiences) == false {
                add(.repeatedItem, "title", "“\(item.title)” is the title of another item of the same edition.")
            }
            titles[title, default: []].formUnion(item.audiences)
        }
        return findings
    }
}

extension Problem {
    /// The errors among findings, all at once; nil if there is none.
    init?(_ findings: [IssueFinding]) {
        let errors = findings.filter { $0.severity == .error }
        guard !errors.isEmpty else { return nil }
        self.init(.issueNotReady, errors: errors.map { .init($0.pointer, $0.detail) })
    }
}
