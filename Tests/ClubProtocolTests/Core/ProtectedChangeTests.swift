import ClubProtocol
import HTTPTypes
import Testing

/// What is protected from deletion must be protected from a change with the same effect. Every operation that deletes
/// or changes in place has been reviewed; this test fails when one is added without review.
@Suite("protected from deletion, protected from change")
struct ProtectedChangeTests {
    /// The refusals that protect data that others rely on; empty where nothing relies on it, or where the change
    /// preserves it.
    private static let guards: [String: [ProblemType]] = [
        // Once called for and paid, it cannot be withdrawn, moved to other years or given another tier.
        "DELETE /v1/memberships/{membership}": [.membershipCalled],
        "PATCH /v1/memberships/{membership}": [.membershipCalled],
        // A topic can be deleted when no one has it; its label is only a display name, and its code is permanent.
        "DELETE /v1/topics/{topic}": [.topicInUse],
        "PATCH /v1/topics/{topic}": [],
        // A tier is never deleted. It cannot be narrowed while an organization of an excluded kind holds it, nor can an
        // organization change to a kind that its tier excludes (422 at its kind). An amount already called for is
        // stored separately.
        "PATCH /v1/tiers/{tier}": [.tierInUse],
        "PATCH /v1/organizations/{organization}": [],
        // Neither needs protection: a mandate is the organization's own statement, and nothing refers to it.
        "DELETE /v1/organizations/{organization}/mandates/{mandate}": [],
        "PATCH /v1/organizations/{organization}/mandates/{mandate}": [],
        // Deleted only by erasure, which is a right.
        "PATCH /v1/people/{person}": [], "PATCH /v1/experts/{expert}": [], "PATCH /v1/ambassadors/{ambassador}": [],
        // Only transitions of its life cycle are allowed.
        "PATCH /v1/referral-offers/{offer}": [.transitionNotAllowed],
        "DELETE /v1/duplicates/{duplicate}/dismissal": [],
        // Only a dismissed line can be reopened; a booked one stays booked.
        "DELETE /v1/bank-lines/{line}/dismissal": [.transitionNotAllowed],
        // An attended registration cannot be cancelled; an event that people attended can be neither moved nor
        // cancelled.
        "DELETE /v1/registrations/{registration}": [.transitionNotAllowed],
        "PATCH /v1/events/{event}": [.eventOver],
        "PATCH /v1/sessions/{session}": [.eventOver, .capacityBelowConfirmed],
        // A published resource cannot be put under an embargo.
        "PATCH /v1/resources/{resource}": [.resourcePublished],
        // What is on its way or sent does not change but by a correction, which keeps the earlier version.
        "PATCH /v1/issues/{issue}": [.issueNotDraft], "PATCH /v1/issues/{issue}/items/{item}": [.issueNotDraft],
        "DELETE /v1/issues/{issue}/items/{item}": [.issueNotDraft],
        // What a reader said is lifted by the reader alone.
        "DELETE /v1/suppressions/{suppression}": [.suppressionStands],
        // The staff may replace the attendance list at any time; the law requires officials to be kept.
        "PUT /v1/circle-meetings/{meeting}/attendance": [],
        "PATCH /v1/officials/{official}": [],
        // ServiceKit's own operations.
        "PATCH /v1/retention-rules/{rule}": [], "DELETE /v1/dead-jobs/{job}": [], "PATCH /v1/webhooks/{webhook}": [],
        "DELETE /v1/webhooks/{webhook}": [],
    ]

    @Test("every operation that deletes or changes in place was reviewed, and declares how it refuses")
    func all() {
        let endpoints = DirectoryAPI.endpoints + EventsAPI.endpoints + ContentAPI.endpoints + LobbyingAPI.endpoints
        var seen: Set<String> = []
        for operation in endpoints.map({ $0.operation })
        where [HTTPRequest.Method.delete, .patch, .put].contains(operation.method) {
            let name = "\(operation.method) \(operation.path)"
            seen.insert(name)
            guard let guards = Self.guards[name] else {
                Issue.record("\(name) was not looked at")
                continue
            }
            for guarded in guards { #expect(operation.problems.contains(guarded), "\(name): \(guarded.slug)") }
        }
        #expect(Set(Self.guards.keys).subtracting(seen) == [], "gone")
    }
}
