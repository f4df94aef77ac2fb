/** The version of ADK's session contract that this package keeps. */
export const adkContract = '2.0'
