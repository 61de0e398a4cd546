import ClubProtocol
import HTTPTypes
import Testing

/// Whatever is protected from deletion is protected from the change that does the same. Each operation that deletes or changes in
/// place was looked at; one that is added is looked at, too, or this fails.
@Suite("protected from deletion, protected from change")
struct ProtectedChangeTests {
    /// The refusals that protect what others rely on; none where nothing else rests on it, or where the change keeps it.
    private static let guards: [String: [ProblemType]] = [
        // Called and paid: neither taken back, nor moved to other years, nor made another tier.
        "DELETE /v1/memberships/{membership}": [.membershipCalled],
        "PATCH /v1/memberships/{membership}": [.membershipCalled],
        // A topic goes when nobody has it; its label is only what people call it, and its code is for good.
        "DELETE /v1/topics/{topic}": [.topicInUse],
        "PATCH /v1/topics/{topic}": [],
        // A tier is never deleted, and not narrowed while another kind holds it, nor does an organization become another kind under
        // its tier (422 at its kind). What was called has its own amount.
        "PATCH /v1/tiers/{tier}": [.tierInUse],
        "PATCH /v1/organizations/{organization}": [],
        // Neither is asked for: a mandate is what the organization says, and nothing refers to it.
        "DELETE /v1/organizations/{organization}/mandates/{mandate}": [],
        "PATCH /v1/organizations/{organization}/mandates/{mandate}": [],
        // Never deleted but by an erasure, which is a right.
        "PATCH /v1/people/{person}": [], "PATCH /v1/experts/{expert}": [], "PATCH /v1/ambassadors/{ambassador}": [],
        // Goes only where its life leads.
        "PATCH /v1/referral-offers/{offer}": [.transitionNotAllowed],
        "DELETE /v1/duplicates/{duplicate}/dismissal": [],
        // Only what is dismissed is open again; what is booked stays booked.
        "DELETE /v1/bank-lines/{line}/dismissal": [.transitionNotAllowed],
        // Attended is not cancelled; and what was attended is neither moved nor called off.
        "DELETE /v1/registrations/{registration}": [.transitionNotAllowed],
        "PATCH /v1/events/{event}": [.eventOver],
        "PATCH /v1/sessions/{session}": [.eventOver, .capacityBelowConfirmed],
        // Published is not put under an embargo.
        "PATCH /v1/resources/{resource}": [.resourcePublished],
        // The list of who came is what the staff says of it, again and again; officials are what the law asks to keep.
        "PUT /v1/circle-meetings/{meeting}/attendance": [],
        "PATCH /v1/officials/{official}": [],
        // The kit's own.
        "PATCH /v1/retention-rules/{rule}": [], "DELETE /v1/dead-jobs/{job}": [], "PATCH /v1/webhooks/{webhook}": [],
        "DELETE /v1/webhooks/{webhook}": [],
    ]

    @Test("every operation that deletes or changes in place was looked at, and says how it refuses")
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
