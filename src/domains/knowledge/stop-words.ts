/** English words that tell nothing of what a text is about. */
export const stopWords: ReadonlySet<string> = new Set(
  `a about above after again against all almost also although always am among an and another any anybody anyone anything are aren as at away
  back be became because become been before began being below between both but by came can cannot come could couldn did didn do does doesn doing don
  done down during each either else enough etc even ever every everybody everyone everything few first for found from further gave get gets getting give
  given go goes going gone got had hadn has hasn have haven having he her here hers herself him himself his how however i if in indeed instead into
  is isn it its itself just keep kept last least less let like ll made make makes many may maybe me might mine more most much must mustn my myself
  near need needs neither never next no nobody none nor not nothing now of off often ok okay on once one only onto or other others otherwise ought our ours
  ourselves out over own per perhaps please put quite rather re really said same saw say says see seem seems seen several shall shan she should
  shouldn show since so some somebody someone something soon still such take taken than that the their theirs them themselves then there therefore these they
  thing things this those though through thus to together too took toward towards two under unless until up upon us use used uses using usually
  ve very want wants was wasn way we well went were weren what whatever when where whether which while who whole whom whose why will with within
  without won would wouldn yes yet you your yours yourself yourselves http https www com html`.split(/\s+/),
);
