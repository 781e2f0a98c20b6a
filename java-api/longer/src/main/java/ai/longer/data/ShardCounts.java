package ai.longer.data;

/**
 * Sums over a shard folder.
 *
 * <p>Immutable; safe for use by several threads.
 *
 * @param shards files
 * @param logs users' event logs; a user may have several
 * @param events events stored; histories that overlap share them
 * @param requests requests
 * @param candidates candidates of all requests
 * @param bytes of the shard files
 */
public record ShardCounts(
    long shards, long logs, long events, long requests, long candidates, long bytes) {}
