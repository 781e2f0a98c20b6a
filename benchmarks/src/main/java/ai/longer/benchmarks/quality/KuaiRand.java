package ai.longer.benchmarks.quality;

import ai.longer.Schema;
import ai.longer.benchmarks.quality.DataFolders.Download;
import ai.longer.data.CsvReader;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * KuaiRand-1K and -27K in their published CSV files (standard logs of 8 April – 8 May 2022): is
 * this video clicked? Events are the earlier impressions with video, author, tag, tab and whether
 * they were clicked or viewed long. From 1 May on is the test, 29 and 30 April are validation.
 */
final class KuaiRand implements DataSet {
  private static final String URL = "https://kuairand.com";
  static final long VALIDATION_BEGIN = 1_651_161_600; // 29 April 2022, 00:00 in China
  static final long TEST_BEGIN = 1_651_334_400; // 1 May 2022, 00:00 in China
  private static final int TABS = 16;
  private static final int OUTCOMES = 4; // clicked, viewed long

  /**
   * What to read.
   *
   * @param users the first so many; 0 = all
   */
  record Options(int candidates, int maxHistory, long users) {}

  static final Comparator<LogRow> BY_TIME = Comparator.comparingLong(LogRow::time);

  private final boolean is27k;
  private final DataFolders folders;
  private final Options options;

  KuaiRand(boolean is27k, DataFolders folders, Options options) {
    this.is27k = is27k;
    this.folders = folders;
    this.options = options;
  }

  @Override
  public Schema schema() {
    return Schema.builder()
        .table("video", 16)
        .table("author", 16)
        .table("tag", 8)
        .table("user", 16)
        .denseTable("tab", 4, TABS)
        .denseTable("outcome", 4, OUTCOMES)
        .event("video", "video")
        .event("author", "author")
        .event("tag", "tag")
        .event("tab", "tab")
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
    Videos videos = videos();
    PeriodSplit periods =
        new PeriodSplit(VALIDATION_BEGIN, TEST_BEGIN, options.candidates(), options.maxHistory());
    try (MergedLogs logs = new MergedLogs(logs(videos))) {
      long users = options.users() == 0 ? Long.MAX_VALUE : options.users();
      return periods.split(schema(), logs.users().limit(users).peek(rows -> rows.sort(BY_TIME)));
    }
  }

  /** Standard logs in the order of their periods; those of 27K come in two parts each. */
  private List<Stream<LogRow>> logs(Videos videos) {
    return Stream.of("4_08_to_4_21", "4_22_to_5_08")
        .flatMap(
            period ->
                is27k
                    ? Stream.of(period + "_27k_part1", period + "_27k_part2")
                    : Stream.of(period + "_1k"))
        .map(name -> FileRows.ofCsv(find("log_standard_" + name + ".csv"), h -> log(h, videos)))
        .toList();
  }

  /** The archive is a tar file: it is unpacked first. */
  private Path find(String file) {
    String folder = is27k ? "KuaiRand-27K" : "KuaiRand-1K";
    return folders.find(new Download(folder + "/data", URL, null, null), file);
  }

  private static Function<CsvReader, LogRow> log(CsvReader header, Videos videos) {
    int user = header.column("user_id");
    int video = header.column("video_id");
    int millis = header.column("time_ms");
    int tab = header.column("tab");
    int click = header.column("is_click");
    int longView = header.column("long_view");
    return row -> {
      long id = row.longValue(video);
      long author = videos.author(id);
      long tag = videos.tag(id);
      long clicked = row.longValue(click);
      long outcome = 2 * clicked + row.longValue(longView);
      return new LogRow(
          row.longValue(user),
          Math.floorDiv(row.longValue(millis), 1000),
          new long[] {id, author, tag, row.longValue(tab), outcome},
          new long[] {id, author, tag, row.longValue(tab)},
          new long[] {row.longValue(user)},
          clicked);
    };
  }

  private Videos videos() {
    Videos videos = new Videos();
    Path file = find("video_features_basic_" + (is27k ? "27k" : "1k") + ".csv");
    try (CsvReader csv = CsvReader.open(file)) {
      int video = csv.column("video_id");
      int author = csv.column("author_id");
      int tag = csv.column("tag");
      while (csv.next()) {
        videos.put(csv.longValue(video), csv.longValue(author), firstTag(csv.text(tag)));
      }
    }
    return videos;
  }

  /** Of "12,68" 12; −1 without a tag. */
  static long firstTag(String tags) {
    int end = tags.indexOf(',');
    String first = (end < 0 ? tags : tags.substring(0, end)).trim();
    return first.matches("\\d+") ? Long.parseLong(first) : -1;
  }

  /** Author and first tag of each video, by its number; there are 32 million of them. */
  private static final class Videos {
    private int[] authors = new int[1024];
    private short[] tags = new short[1024];

    void put(long video, long author, long tag) {
      int index = Math.toIntExact(video);
      if (index >= authors.length) {
        int size = Math.max(index + 1, Math.addExact(authors.length, authors.length / 2));
        authors = Arrays.copyOf(authors, size);
        tags = Arrays.copyOf(tags, size);
      }
      // 0 stands for a video that is not listed.
      authors[index] = Math.toIntExact(author + 1);
      tags[index] = (short) (tag + 1);
    }

    long author(long video) {
      return video < authors.length ? authors[(int) video] - 1L : -1;
    }

    long tag(long video) {
      return video < tags.length ? tags[(int) video] - 1L : -1;
    }
  }
}
