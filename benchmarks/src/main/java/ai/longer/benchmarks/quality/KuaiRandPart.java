package ai.longer.benchmarks.quality;

import ai.longer.Schema;
import ai.longer.benchmarks.quality.DataFolders.Download;
import ai.longer.data.Cell;
import ai.longer.parquet.ParquetRows;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * A part of KuaiRand-Pure in Parquet files: is this video clicked? Events are the at most 50 videos
 * that the user watched before the log, then the earlier impressions with whether they were
 * clicked. From 1 May 2022 on is the test, 29 and 30 April are validation.
 */
final class KuaiRandPart implements DataSet {
  private static final Download DOWNLOAD =
      new Download("kuairand-pure-part", "https://kuairand.com", null, null);

  private static final long WATCHED = 2; // outcome of an event before the log
  private static final int OUTCOMES = 3;
  private static final int TABS = 16;

  /** Where the video's author and tag are not known. */
  private static final long[] UNKNOWN = {-1, -1};

  private final DataFolders folders;
  private final KuaiRand.Options options;

  KuaiRandPart(DataFolders folders, KuaiRand.Options options) {
    this.folders = folders;
    this.options = options;
  }

  @Override
  public Schema schema() {
    return Schema.builder()
        .table("video", 16)
        .table("author", 8)
        .table("tag", 8)
        .table("user", 16)
        .denseTable("tab", 4, TABS)
        .denseTable("outcome", 4, OUTCOMES)
        .event("video", "video")
        .event("author", "author")
        .event("tag", "tag")
        .event("outcome", "outcome")
        .candidate("video", "video")
        .candidate("author", "author")
        .candidate("tag", "tag")
        .candidate("tab", "tab")
        .user("user", "user")
        .task("click")
        .build();
  }

  @Override
  public Split split() {
    Map<Long, long[]> videos = videos();
    Map<Long, List<LogRow>> impressions = impressions();
    addWatched(impressions, videos);
    long users = options.users() == 0 ? Long.MAX_VALUE : options.users();
    return new PeriodSplit(
            KuaiRand.VALIDATION_BEGIN,
            KuaiRand.TEST_BEGIN,
            options.candidates(),
            options.maxHistory())
        .split(
            schema(),
            impressions.values().stream().limit(users).peek(rows -> rows.sort(KuaiRand.BY_TIME)));
  }

  private ParquetRows open(String file, String... columns) {
    return ParquetRows.open(folders.find(DOWNLOAD, file + ".parquet"), Set.of(columns));
  }

  private Map<Long, List<LogRow>> impressions() {
    Map<Long, List<LogRow>> byUser = new TreeMap<>();
    try (ParquetRows rows =
        open(
            "impressions",
            "user_id",
            "video_id",
            "time_ms",
            "is_click",
            "tab",
            "author_id",
            "tag")) {
      int user = rows.column("user_id");
      int video = rows.column("video_id");
      int millis = rows.column("time_ms");
      int click = rows.column("is_click");
      int tab = rows.column("tab");
      int author = rows.column("author_id");
      int tag = rows.column("tag");
      while (rows.next()) {
        long userId = rows.cell(user).longValue(0);
        long videoId = rows.cell(video).longValue(0);
        long authorId = number(rows.cell(author));
        long tagId = tag(rows.cell(tag));
        long clicked = rows.cell(click).longValue(0);
        byUser
            .computeIfAbsent(userId, u -> new ArrayList<>())
            .add(
                new LogRow(
                    userId,
                    Math.floorDiv(rows.cell(millis).longValue(0), 1000),
                    new long[] {videoId, authorId, tagId, clicked},
                    new long[] {videoId, authorId, tagId, rows.cell(tab).longValue(0)},
                    new long[] {userId},
                    clicked));
      }
    }
    return byUser;
  }

  /**
   * Adds what users watched before the log, at the second of the last one. The three users whose
   * sequence does not end before their first impression go without: it might know outcomes.
   */
  private void addWatched(Map<Long, List<LogRow>> impressions, Map<Long, long[]> videos) {
    try (ParquetRows rows = open("earlier_sequences", "user_id", "last_time_ms", "watch_seq")) {
      int user = rows.column("user_id");
      int last = rows.column("last_time_ms");
      int watched = rows.column("watch_seq");
      while (rows.next()) {
        long userId = rows.cell(user).longValue(0);
        List<LogRow> ofUser = impressions.get(userId);
        if (ofUser == null) {
          continue;
        }
        long first = ofUser.stream().mapToLong(LogRow::time).min().orElseThrow();
        long time = Math.floorDiv(number(rows.cell(last)), 1000);
        if (time >= first) {
          continue;
        }
        Cell sequence = rows.cell(watched);
        for (int i = 0; i < sequence.size(); i++) {
          long video = sequence.longValue(i);
          long[] authorAndTag = videos.getOrDefault(video, UNKNOWN);
          ofUser.add(
              new LogRow(
                  userId,
                  time,
                  new long[] {video, authorAndTag[0], authorAndTag[1], WATCHED},
                  new long[] {video, authorAndTag[0], authorAndTag[1], 0},
                  new long[] {userId},
                  Float.NaN));
        }
      }
    }
  }

  /** Author and first tag by video. */
  private Map<Long, long[]> videos() {
    Map<Long, long[]> videos = new HashMap<>();
    try (ParquetRows rows = open("video_features", "video_id", "author_id", "tag")) {
      int video = rows.column("video_id");
      int author = rows.column("author_id");
      int tag = rows.column("tag");
      while (rows.next()) {
        videos.put(
            rows.cell(video).longValue(0),
            new long[] {number(rows.cell(author)), tag(rows.cell(tag))});
      }
    }
    return videos;
  }

  private static long number(Cell cell) {
    return cell.size() == 0 ? -1 : cell.longValue(0);
  }

  private static long tag(Cell cell) {
    return cell.size() == 0 ? -1 : KuaiRand.firstTag(cell.text(0));
  }
}
