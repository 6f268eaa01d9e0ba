/**
 * The label that decides between a revocation and a rollback. Both move it before they begin, and Secrets Manager lets only
 * one of them: a revocation puts it on the version at AWSPREVIOUS whose token is to die, where it stays; a rollback puts it
 * on the version at AWSCURRENT that it leaves. A rollback that was cut short binds nobody once another version is current,
 * since its own move of AWSCURRENT can't succeed any more.
 */
export const decisionLabel = "C2MDECISION";

/**
 * The label that says that a secret's tokens are being ended: nothing is issued for it as long as any of its versions has
 * the label. `decommission` puts it there before it waits, so that nobody who begins later can bring a token to life.
 */
export const decommissionLabel = "C2MDECOMMISSION";
