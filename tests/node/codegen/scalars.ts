/** A calendar day, as the server writes it. */
export type LocalDate = `${number}-${number}-${number}`;

/** A moment in UTC, as the server writes it. */
export type Instant = `${LocalDate}T${string}Z`;
