/** Cents as the customer reads them. */
export function price(cents) {
  return `${(cents / 100).toFixed(2)} €`;
}
