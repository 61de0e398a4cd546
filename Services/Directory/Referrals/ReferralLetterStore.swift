import ClubProtocol
import Postgres
import ServiceKit

/// The content of letters and pages about referrals.
enum ReferralLetterStore {
    /// The content of the letter to an expert, while an answer is wanted.
    struct Invitation: Decodable {
        var recipient: Recipient
        var topics: [String]
        var postalCode: PostalCode?
        var departement: Departement
        var answerBy: Day
        var places: Int
        var isAmbassadors: Bool
        /// The ambassador's home organization.
        var home: String?
    }

    /// The content of the letter to an ambassador.
    struct News: Decodable {
        var recipient: Recipient
        var referral: Referral.ID
        var topics: [String]
        var postalCode: PostalCode?
        var createdAt: Timestamp
        var state: Referral.State
        var asked: Int
        /// The state of the offer that the letter is about.
        var answer: ReferralOffer.State
        var answeredAt: Timestamp?
    }

    /// An offer as the page of the expert shows it.
    struct Shown: Decodable {
        var expert: Expert.ID
        var expertName: String
        var state: ReferralOffer.State
        var version: Int
        var topics: [String]
        var postalCode: PostalCode?
        var departement: Departement
        var description: String
        var answerBy: Day
        var places: Int
        /// Who asks; nil if it is the club's staff.
        var adviser: String?
        var home: String?
        /// Both only once the expert has accepted.
        var adviserEmail: String?
        var firm: Firm?
    }

    /// An answer as the page of the ambassador shows it.
    struct Reply: Decodable {
        var id: ReferralOffer.ID
        var name: String
        var place: String
        var state: ReferralOffer.State
        var answerBy: Day
        var answeredAt: Timestamp?
        var note: String?
        var satisfaction: Int?
        /// Whether the ambassador may report or correct the outcome.
        var isToBeTold: Bool
        /// Only for experts who accepted.
        var contact: String?
        var email: String?
        var telephone: Telephone?
    }

    /// An offer whose outcome is reported with that page's form.
    struct Told: Decodable {
        var ambassador: Ambassador.ID
        var person: Person.ID
        var version: Int
        var isToBeTold: Bool
    }

    /// A referral as that page shows it.
    struct Followed: Decodable {
        var state: Referral.State
        var topics: [String]
        var postalCode: PostalCode?
        var departement: Departement
        var description: String
        var createdAt: Timestamp
    }

    private static let topics: SQL = """
        array(
            select topic.label from unnest(referral.topics) with ordinality as wanted (code, place)
            join topic on topic.code = wanted.code order by wanted.place) as topics
        """

    private static let ambassador: SQL = """
        left join ambassador on ambassador.id = referral.ambassador
        left join person on person.id = ambassador.person
        left join organization as home on home.id = ambassador.organization
        """

    /// Nil if no answer is wanted any more, or the expert has left or has no address.
    static func invitation(_ offer: ReferralOffer.ID, on executor: any PostgresExecutor) async throws -> Invitation? {
        try await executor.first(
            """
            select \(Recipient.column), \(topics),
                referral.postal_code as "postalCode", referral.departement, answer_by as "answerBy", places,
                referral.ambassador is not null as "isAmbassadors", home.name as home
            from referral_offer as offer
            join referral on referral.id = offer.referral
            join expert on expert.id = offer.expert
            \(ambassador)
            \(Recipient.join(.expert, "expert.id"))
            where offer.id = \(offer) and offer.state = 'sent' and answer_by >= directory.today()
                and expert.left_on is null
            """)?.decode(Invitation.self)
    }

    /// Nil if the club's staff brought the need, or the ambassador has left or has no address.
    static func news(of offer: ReferralOffer.ID, on executor: any PostgresExecutor) async throws -> News? {
        try await executor.first(
            """
            select \(Recipient.column), referral.id as referral, \(topics), referral.postal_code as "postalCode",
                referral.created_at as "createdAt", \(ReferralStore.state) as state, referral.asked,
                offer.state as answer, answered_at as "answeredAt"
            from referral_offer as offer
            join referral on referral.id = offer.referral
            \(ambassador)
            \(Recipient.join(.person, "person.id"))
            where offer.id = \(offer) and ambassador.left_on is null
            """)?.decode(News.self)
    }

    /// The addresses at which the link to an offer is valid.
    static func addresses(
        of offer: ReferralOffer.ID, on executor: any PostgresExecutor
    ) async throws -> [EmailAddress] {
        try await AddressStore.addresses(
            .expert, "(select expert from referral_offer where id = \(offer))", on: executor)
    }

    /// The addresses at which the link to a referral is valid: those of the ambassador who brought the need.
    static func addresses(
        of referral: Referral.ID, on executor: any PostgresExecutor
    ) async throws -> [EmailAddress] {
        try await AddressStore.addresses(
            .person,
            """
            (select person from ambassador
             where id = (select ambassador from referral where id = \(referral)))
            """, on: executor)
    }

    static func shown(_ offer: ReferralOffer.ID, on executor: any PostgresExecutor) async throws -> Shown? {
        try await executor.first(
            """
            select offer.expert, expert.name as "expertName", \(ReferralOfferStore.state) as state, offer.version,
                \(topics), referral.postal_code as "postalCode", referral.departement, description,
                answer_by as "answerBy", places, \(SQL.personName(of: "person")) as adviser,
                home.name as home, case when offer.state in ('accepted', 'done') then person.email end as "adviserEmail",
                case when offer.state in ('accepted', 'done') then \(ReferralStore.firm) end as firm
            from referral_offer as offer
            join referral on referral.id = offer.referral
            join expert on expert.id = offer.expert
            \(ambassador)
            where offer.id = \(offer)
            """)?.decode(Shown.self)
    }

    static func followed(_ referral: Referral.ID, on executor: any PostgresExecutor) async throws -> Followed? {
        try await executor.first(
            """
            select \(ReferralStore.state) as state, \(topics), postal_code as "postalCode", departement, description,
                created_at as "createdAt"
            from referral where id = \(referral)
            """)?.decode(Followed.self)
    }

    /// While it is accepted, and for some time after it was done; by the ambassador who brought the need.
    private static let isToBeTold: SQL = """
        referral.ambassador is not null and (offer.state = 'accepted' or offer.state = 'done'
            and offer.updated_at > now() - make_interval(days => \(ReferralTransitions.correctionDays)::integer))
        """

    /// Nil for an offer of another referral, or if the club's staff brought the need.
    static func told(
        _ offer: ReferralOffer.ID, of referral: Referral.ID, on executor: any PostgresExecutor
    ) async throws -> Told? {
        try await executor.first(
            """
            select ambassador.id as ambassador, ambassador.person, offer.version, \(isToBeTold) as "isToBeTold"
            from referral_offer as offer
            join referral on referral.id = offer.referral
            join ambassador on ambassador.id = referral.ambassador
            where offer.id = \(offer) and referral.id = \(referral)
            """)?.decode(Told.self)
    }

    /// In the order in which they were asked; a referral has a few dozen at most.
    static func replies(to referral: Referral.ID, on executor: any PostgresExecutor) async throws -> [Reply] {
        try await executor.query(
            """
            select offer.id, expert.name, expert.commune || ' (' || expert.departement || ')' as place,
                \(ReferralOfferStore.state) as state, answer_by as "answerBy", answered_at as "answeredAt", note,
                satisfaction, \(isToBeTold) as "isToBeTold",
                case when offer.state in ('accepted', 'done') then expert.contact_name end as contact,
                case when offer.state in ('accepted', 'done') then expert.email end as email,
                case when offer.state in ('accepted', 'done') then expert.telephone end as telephone
            from referral_offer as offer
            join expert on expert.id = offer.expert
            join referral on referral.id = offer.referral
            where offer.referral = \(referral) order by offer.id limit 200
            """
        ).decode(Reply.self)
    }
}
