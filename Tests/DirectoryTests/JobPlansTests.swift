import Postgres
import TestKit
import Testing

@testable import Directory

@Suite("background work of the directory", .timeLimit(.minutes(10)))
struct JobPlansTests {
    @Test("every job and every schedule finds its rows by an index")
    func plans() async throws {
        var plans = JobPlans(
            // Only a few are asked to confirm: a letter to each would be thousands of identical statements.
            fill: Crowd.script + """

                update expert set confirmed_at = now() where hashtext(id::text) & 255 > 0;
                update ambassador set confirmed_at = now() where hashtext(id::text) & 255 > 0;
                update expert_word_progress set through = now();
                analyze;
                """,
            small: Crowd.small.filter { !$0.value.hasPrefix("the kit's") },
            through: [
                "with held as materialized ( select word":
                    "each night, the words of all: one that nobody has any more is forgiven to nobody",
                "with changed as materialized (select * from":
                    "a whole scan: each batch of records against those like it, a few of each sign, and the pairs that are known",
                "update idempotency set status = $1::integer":
                    "an erasure looks for a person in all that was answered today",
                "delete from job where kind <> $1": "an erasure looks for a person in all that is still to be done",
                "with own as materialized ( select name": "an erasure looks for a person in all notes",
                "with subject as ( select directory.words_pattern":
                    "an erasure looks for a person in all that banks wrote",
            ],
            payloads: [
                "expert.words": "'{}'::jsonb",
                "erasure": "jsonb_build_object('erasure', md5('erasure1')::uuid)",
                "webhook.send": "jsonb_build_object('webhook', md5('webhook1')::uuid)",
                "contribution.letter": "to_jsonb(md5('reminder77')::uuid)",
                "receipt.letter": "to_jsonb(md5('receipt77')::uuid)",
                "duplicates.scan": "jsonb_build_object('scan', md5('scan')::uuid)",
                "referral.invitation": "to_jsonb(md5('offer0')::uuid)",
                "referral.answer": "jsonb_build_object('offer', md5('offer1')::uuid, 'state', 'accepted')",
                "referral.outcome": "to_jsonb(md5('offer1')::uuid)",
                "self-service.find": "'{\"email\": \"e77@example.org\"}'::jsonb",
                "self-service.letter": "to_jsonb(md5('link77')::uuid)",
                "self-service.address-change": """
                jsonb_build_object(
                    'record', 'expert/' || md5('expert77')::uuid, 'version', 1, 'email', 'e77@example.org',
                    'subject', jsonb_build_object('entity', 'expert', 'id', md5('expert77')::uuid))
                """,
                "confirmation.letter": "to_jsonb(md5('request77')::uuid)",
            ])
        plans.followed = ["duplicates.scan"]
        try await plans.check(DirectoryApplication.self)
    }
}
