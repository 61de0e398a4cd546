/// A purpose for which a person or an expert may be contacted or listed.
package enum Purpose: String, Codable, CaseIterable, Sendable {
    case flashInfo, eventInvitations, publicDirectory, partnerOffers
}

/// One answer to one consent question, and when it was given.
package struct Consent: Codable, Hashable, Sendable {
    package var agreed: Bool
    package var at: Timestamp

    package init(agreed: Bool, at: Timestamp) {
        self.agreed = agreed
        self.at = at
    }
}

/// The answer for each purpose; absent if never asked, which counts as no.
package struct Consents: Codable, Hashable, Sendable {
    package var flashInfo: Consent?
    package var eventInvitations: Consent?
    package var publicDirectory: Consent?
    package var partnerOffers: Consent?

    package init(
        flashInfo: Consent? = nil, eventInvitations: Consent? = nil, publicDirectory: Consent? = nil,
        partnerOffers: Consent? = nil
    ) {
        self.flashInfo = flashInfo
        self.eventInvitations = eventInvitations
        self.publicDirectory = publicDirectory
        self.partnerOffers = partnerOffers
    }
}

/// Consent answers as input; the directory adds the time. An absent purpose is left unchanged.
package struct ConsentChoices: Codable, Hashable, Sendable {
    package var flashInfo: Bool?
    package var eventInvitations: Bool?
    package var publicDirectory: Bool?
    package var partnerOffers: Bool?

    package init(
        flashInfo: Bool? = nil, eventInvitations: Bool? = nil, publicDirectory: Bool? = nil, partnerOffers: Bool? = nil
    ) {
        self.flashInfo = flashInfo
        self.eventInvitations = eventInvitations
        self.publicDirectory = publicDirectory
        self.partnerOffers = partnerOffers
    }
}
