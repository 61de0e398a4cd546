import HTTPTypes

/// Searches experts: nearest first where a postal code is given, else those whose name begins with what was typed and then the
/// others, each by name.
///
/// Accents, case and French endings do not matter. A word that nobody has is taken as the beginning of one, or for what it is
/// spelt like. The order is total and rests on nothing that changes while somebody turns pages.
package enum SearchExperts: Endpoint {
    package static let operation = Operation(
        .get, "/v1/expert-search", "Searches experts, nearest or most fitting first.",
        access: .roles(.operator, .editor, .auditor, .service, .ambassador, .expert))

    package struct Query: Codable, Sendable, PagedQuery {
        /// Words of the name or the commune; up to eight count.
        package var q: Line?
        package var subKind: Expert.SubKind?
        /// Where the expert is.
        package var departement: Departement?
        package var region: Region?
        /// A département served.
        package var serves: Departement?
        package var topic: Topic?
        /// A brand by its name; case and accents do not matter.
        package var brand: Line?
        package var freshness: Freshness?
        /// False finds those who have left.
        package var enrolled: Bool?
        package var updatedSince: Timestamp?
        /// From where it is near: the same postal code first, then the same first three digits, then département by
        /// département as their prefectures lie farther away.
        package var near: PostalCode?
        package var limit: PageLimit?
        package var cursor: Cursor?

        package init(
            q: Line? = nil, subKind: Expert.SubKind? = nil, departement: Departement? = nil, region: Region? = nil,
            serves: Departement? = nil, topic: Topic? = nil, brand: Line? = nil, freshness: Freshness? = nil,
            enrolled: Bool? = nil, updatedSince: Timestamp? = nil,
            near: PostalCode? = nil, limit: PageLimit? = nil, cursor: Cursor? = nil
        ) {
            self.q = q
            self.subKind = subKind
            self.departement = departement
            self.region = region
            self.serves = serves
            self.topic = topic
            self.brand = brand
            self.freshness = freshness
            self.enrolled = enrolled
            self.updatedSince = updatedSince
            self.near = near
            self.limit = limit
            self.cursor = cursor
        }
    }

    package typealias Response = Page<Expert>
}

/// Counts what a search finds by each of its filters, and says how words were understood.
package enum CountExperts: Endpoint {
    package static let operation = Operation(
        .get, "/v1/expert-search/facets", "Counts the experts that a search finds, by each filter.",
        access: .roles(.operator, .editor, .auditor, .service, .ambassador, .expert))

    /// As in ``SearchExperts``.
    package struct Query: Codable, Sendable {
        package var q: Line?
        package var subKind: Expert.SubKind?
        package var departement: Departement?
        package var region: Region?
        package var serves: Departement?
        package var topic: Topic?
        package var brand: Line?
        package var freshness: Freshness?
        /// False finds those who have left.
        package var enrolled: Bool?
        package var updatedSince: Timestamp?

        package init(
            q: Line? = nil, subKind: Expert.SubKind? = nil, departement: Departement? = nil, region: Region? = nil,
            serves: Departement? = nil, topic: Topic? = nil, brand: Line? = nil, freshness: Freshness? = nil,
            enrolled: Bool? = nil, updatedSince: Timestamp? = nil
        ) {
            self.q = q
            self.subKind = subKind
            self.departement = departement
            self.region = region
            self.serves = serves
            self.topic = topic
            self.brand = brand
            self.freshness = freshness
            self.enrolled = enrolled
            self.updatedSince = updatedSince
        }
    }

    package typealias Response = ExpertFacets
}

/// How many of the experts that a search finds have what.
package struct ExpertFacets: Codable, Hashable, Sendable {
    /// How many were counted.
    package var counted: Int
    /// Whether these are all that there are. Of more than ten thousand, and of fewer where it takes long to find all, some are
    /// counted, a thousand at least, and the counts are of these only.
    package var isComplete: Bool
    /// Each with the most frequent values first, twenty at the most.
    package var subKinds: [FacetCount]
    package var regions: [FacetCount]
    package var departements: [FacetCount]
    package var topics: [FacetCount]
    package var brands: [FacetCount]
    package var freshness: [FacetCount]
    /// Words that nobody has, and what they were taken for; told only to those who see every expert.
    package var readings: [WordReading]

    package init(
        counted: Int, isComplete: Bool, subKinds: [FacetCount], regions: [FacetCount], departements: [FacetCount],
        topics: [FacetCount], brands: [FacetCount], freshness: [FacetCount], readings: [WordReading]
    ) {
        self.counted = counted
        self.isComplete = isComplete
        self.subKinds = subKinds
        self.regions = regions
        self.departements = departements
        self.topics = topics
        self.brands = brands
        self.freshness = freshness
        self.readings = readings
    }
}

/// A value of a filter, and how many have it.
package struct FacetCount: Codable, Hashable, Sendable {
    package var value: String
    package var count: Int

    package init(value: String, count: Int) {
        self.value = value
        self.count = count
    }
}

/// A word as it was typed, and the words that it was taken for, the likeliest first.
package struct WordReading: Codable, Hashable, Sendable {
    package var typed: String
    package var takenFor: [String]

    package init(typed: String, takenFor: [String]) {
        self.typed = typed
        self.takenFor = takenFor
    }
}
