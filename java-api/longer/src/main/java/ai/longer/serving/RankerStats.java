package ai.longer.serving;

/**
 * Counts since a ranker was made.
 *
 * <p>Immutable; safe for use by several threads.
 *
 * @param requests requests answered
 * @param candidates candidates scored
 * @param cacheHits requests served from cached keys and values
 * @param cacheMisses cached requests that had to encode the history
 * @param cacheEvictions users dropped for lack of room or on request
 * @param cacheEntries users cached
 * @param cacheBytes bytes cached
 * @param cacheExpired users dropped for their age
 * @param cacheAppended appends applied
 * @param cacheRebuilt appends to a cached user that were not applied because the window moved or
 *     the model must encode the whole history anew
 */
public record RankerStats(
    long requests,
    long candidates,
    long cacheHits,
    long cacheMisses,
    long cacheEvictions,
    long cacheEntries,
    long cacheBytes,
    long cacheExpired,
    long cacheAppended,
    long cacheRebuilt) {}
