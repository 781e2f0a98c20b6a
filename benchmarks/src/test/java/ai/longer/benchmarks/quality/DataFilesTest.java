package ai.longer.benchmarks.quality;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.longer.Schema;
import ai.longer.data.Request;
import ai.longer.data.StringIds;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Data sets in their original formats, from small files of the same form. */
class DataFilesTest {
  @TempDir private Path root;

  private DataSet open(String settings) {
    return DataSets.open(Json.parse(settings), new DataFolders(List.of(root)));
  }

  private static final String CUT =
      "\"candidates\": 2, \"validationShare\": 0.25, \"testShare\": 0.25, \"maxHistory\": 9";

  private void write(String file, String text) throws IOException {
    Path path = root.resolve(file);
    Files.createDirectories(path.getParent());
    if (file.endsWith(".gz")) {
      try (GZIPOutputStream out = new GZIPOutputStream(Files.newOutputStream(path))) {
        out.write(text.getBytes(StandardCharsets.ISO_8859_1));
      }
    } else {
      Files.write(path, text.getBytes(StandardCharsets.ISO_8859_1));
    }
  }

  private static long[] candidates(Request request, String feature) {
    int column = column(request.schema().candidateFeatures(), feature);
    return IntStream.range(0, request.candidates().size())
        .mapToLong(i -> request.candidates().id(column, i))
        .toArray();
  }

  private static long[] events(Request request, String feature) {
    int column = column(request.schema().eventFeatures(), feature);
    return IntStream.range(0, request.history().size())
        .mapToLong(i -> request.history().id(column, i))
        .toArray();
  }

  private static int column(List<Schema.Feature> features, String name) {
    return features.stream().map(Schema.Feature::name).toList().indexOf(name);
  }

  private static String problem(DataSet set) {
    return String.valueOf(assertThrows(IllegalArgumentException.class, set::split).getMessage());
  }

  @Test
  void movieLensRatingsOutOfOrderBecomeHistoriesInOrder() throws IOException {
    write(
        "ml-latest-small/movies.csv.gz",
        "movieId,title,genres\n1,A,Comedy|Drama\n2,\"B, the\",Drama\n3,C,(no genres listed)\n4,D,War\n");
    write(
        "ml-latest-small/ratings.csv",
        "userId,movieId,rating,timestamp\n7,2,4.0,200\n7,1,3.5,100\n7,4,5.0,400\n7,3,0.5,300\n");
    Split split = open("{\"kind\": \"movielens-latest-small\", " + CUT + "}").split();
    Request test = split.test().get(0);
    assertArrayEquals(new long[] {4}, candidates(test, "movie"));
    assertArrayEquals(new long[] {1, 2, 3}, events(test, "movie"));
    assertArrayEquals(new long[] {100, 200, 300}, test.history().times());
    assertArrayEquals(new long[] {7, 8, 1}, events(test, "stars"));
    assertEquals(399, test.referenceTime());
    assertArrayEquals(new float[] {1}, test.labels(0));
    assertEquals(7, test.userId(0));
    assertArrayEquals(new long[] {3}, candidates(split.validation().get(0), "movie"));
    assertArrayEquals(new long[] {1, 2}, candidates(split.training().get(0), "movie"));
  }

  @Test
  void movieLens1mIsReadFromDatFiles() throws IOException {
    write("ml-1m/movies.dat", "1::Café (1995)::Children's|Comedy\n2::B (1996)::Drama\n");
    write("ml-1m/ratings.dat", "1::2::5::20\n1::1::3::10\n2::1::4::5\n");
    Split split = open("{\"kind\": \"movielens-1m\", " + CUT + "}").split();
    assertEquals(2, split.trainingAndValidation().size());
    assertEquals(0, split.test().size());
    assertArrayEquals(new long[] {1, 2}, candidates(split.training().get(0), "movie"));
    assertArrayEquals(new float[] {0, 1}, split.training().get(0).labels(0));
  }

  @Test
  void aMissingFileIsNamedWithWhereToGetIt() {
    DataSet set = open("{\"kind\": \"movielens-32m\", " + CUT + "}");
    String problem = problem(set);
    assertTrue(problem.contains("movies.csv"), problem);
    assertTrue(problem.contains("https://grouplens.org"), problem);
    assertTrue(problem.contains("ml-32m.zip"), problem);
  }

  @Test
  void anArchiveThatIsNotThePublishedOneIsRefused() throws IOException {
    try (ZipOutputStream zip =
        new ZipOutputStream(Files.newOutputStream(root.resolve("ml-25m.zip")))) {
      zip.putNextEntry(new ZipEntry("ml-25m/movies.csv"));
    }
    DataSet set = open("{\"kind\": \"movielens-25m\", " + CUT + "}");
    String problem = problem(set);
    assertTrue(problem.contains("6b51fb2759a8657d3bfcbfc42b592ada"), problem);
  }

  @Test
  void anArchiveWithoutPublishedChecksumIsReadInPlace() throws IOException {
    try (ZipOutputStream zip =
        new ZipOutputStream(Files.newOutputStream(root.resolve("ml-latest-small.zip")))) {
      zip.putNextEntry(new ZipEntry("ml-latest-small/movies.csv"));
      zip.write("movieId,title,genres\n1,A,Comedy\n".getBytes(StandardCharsets.US_ASCII));
      zip.putNextEntry(new ZipEntry("ml-latest-small/ratings.csv"));
      zip.write(
          "userId,movieId,rating,timestamp\n7,1,4.0,200\n".getBytes(StandardCharsets.US_ASCII));
    }
    Split split = open("{\"kind\": \"movielens-latest-small\", " + CUT + "}").split();
    assertEquals(1, split.training().size());
  }

  @Test
  void usersWhoseRowsAreScatteredAreAnError() throws IOException {
    write("ml-latest-small/movies.csv", "movieId,title,genres\n1,A,Comedy\n");
    write(
        "ml-latest-small/ratings.csv",
        "userId,movieId,rating,timestamp\n7,1,4.0,1\n8,1,4.0,2\n7,1,3.0,3\n");
    DataSet set = open("{\"kind\": \"movielens-latest-small\", " + CUT + "}");
    String problem = problem(set);
    assertTrue(problem.contains("user 7"), problem);
  }

  @Test
  void assistmentsKeepsFoldsApart() throws IOException {
    StringBuilder rows = new StringBuilder("fold,student,position,problem,skill,correct\n");
    for (int student = 0; student < 10; student++) {
      for (int position = 0; position < 4; position++) {
        rows.append(1 + student % 5).append(',').append(student).append(',').append(position);
        rows.append(',').append(10 + position).append(",3,").append(position % 2).append('\n');
      }
    }
    write("assist2017/responses.csv", rows.toString());
    Split split = open("{\"kind\": \"assist2017\", \"testFold\": 5, " + CUT + "}").split();
    assertEquals(6 * 2, split.training().size());
    assertEquals(2 * 2, split.validation().size());
    assertEquals(2 * 2, split.test().size());
    Request second = split.test().get(1);
    assertArrayEquals(new long[] {12, 13}, candidates(second, "problem"));
    assertArrayEquals(new long[] {0, 1}, events(second, "correct"));
    assertEquals(0, second.schema().userFeatures().size());

    Request byTime =
        open("{\"kind\": \"assist2017\", \"testFold\": 0, " + CUT + "}").split().test().get(9);
    assertArrayEquals(new long[] {13}, candidates(byTime, "problem"));
    assertArrayEquals(new long[] {0, 1, 0}, events(byTime, "correct"));
    assertEquals(9, byTime.userId(0));
  }

  @Test
  void taobaoUsersComeInAnyOrder() throws IOException {
    String rows = "100,7,3,pv,10\n100,8,3,buy,5\n1,7,3,fav,20\n";
    write("taobao/UserBehavior.csv", rows);
    write("taobao-head/UserBehavior.csv.gz", "user,item,category,behavior,timestamp\n" + rows);
    for (String kind : List.of("taobao", "taobao-head")) {
      Split split = open("{\"kind\": \"" + kind + "\", " + CUT + "}").split();
      assertEquals(2, split.training().size());
      assertArrayEquals(new long[] {8, 7}, candidates(split.training().get(0), "item"));
      assertArrayEquals(new float[] {1, 0}, split.training().get(0).labels(0));
      assertEquals(100, split.training().get(0).userId(0));
    }
    write("taobao/UserBehavior.csv", "100,7,3,look,10\n");
    String problem = problem(open("{\"kind\": \"taobao\", " + CUT + "}"));
    assertTrue(problem.contains("UserBehavior.csv:1"), problem);
    assertTrue(problem.contains("\"look\""), problem);
  }

  @Test
  void kuaiRandLogsOfTwoPeriodsBecomeOneHistory() throws IOException {
    String header = "user_id,video_id,date,hourmin,time_ms,is_click,long_view,tab\n";
    String folder = "KuaiRand-1K/data/";
    write(folder + "video_features_basic_1k.csv", "video_id,author_id,tag\n0,9,\"12,68\"\n2,8,\n");
    write(
        folder + "log_standard_4_08_to_4_21_1k.csv",
        header + "0,0,20220408,1,1649400000500,1,0,1\n1,2,20220408,1,1649400000000,0,0,1\n");
    write(
        folder + "log_standard_4_22_to_5_08_1k.csv",
        header
            + "0,2,20220501,1,1651334399999,0,0,2\n0,3,20220501,1,1651334400000,1,1,2\n"
            + "1,2,20220429,1,1651161599000,0,0,1\n");
    String settings = "{\"kind\": \"kuairand-1k\", \"candidates\": 4, \"maxHistory\": 9}";
    Split split = open(settings).split();
    assertEquals(2, split.training().size());
    assertEquals(1, split.validation().size());
    assertEquals(1, split.test().size());
    Request test = split.test().get(0);
    assertArrayEquals(new long[] {0, 2}, events(test, "video"));
    assertArrayEquals(new long[] {9, 8}, events(test, "author"));
    assertArrayEquals(new long[] {12, -1}, events(test, "tag"));
    assertArrayEquals(new long[] {2, 0}, events(test, "outcome"));
    assertArrayEquals(new long[] {3}, candidates(test, "video"));
    assertArrayEquals(new long[] {-1}, candidates(test, "author"));
    assertEquals(1_651_334_399, test.referenceTime());
    assertEquals(2, split.training().get(1).candidates().size());

    write(
        folder + "log_standard_4_22_to_5_08_1k.csv",
        header + "1,2,20220501,1,1651334399999,0,0,2\n0,3,20220501,1,1651334400000,1,1,2\n");
    String problem = problem(open(settings));
    assertTrue(problem.contains("user 0 after user 1"), problem);
  }

  @Test
  void amazonUsersMayBeScattered() throws IOException {
    write(
        "amazon-2023/Books.csv",
        "user_id,parent_asin,rating,timestamp\nA,X,5.0,2000\nB,X,1.0,1000\nA,Y,3.0,1000\n");
    Split split = open("{\"kind\": \"amazon-2023\", \"category\": \"Books\", " + CUT + "}").split();
    Request first = split.training().get(0);
    assertArrayEquals(
        new long[] {StringIds.hash("Y"), StringIds.hash("X")}, candidates(first, "product"));
    assertArrayEquals(new float[] {0, 1}, first.labels(0));
    assertEquals(2, split.training().size());
  }

  @Test
  void rowsOfOneSecondAreNoHistoryOfEachOther() {
    Schema schema =
        Schema.builder()
            .table("item", 4)
            .event("item", "item")
            .candidate("item", "item")
            .task("click")
            .build();
    List<LogRow> rows =
        List.of(row(1, 10, Float.NaN), row(2, 20, 1), row(3, 20, 0), row(4, 20, 1), row(5, 30, 0));
    Split split = new PeriodSplit(25, 40, 2, 100).split(schema, Stream.of(rows));
    assertEquals(2, split.training().size());
    assertArrayEquals(new long[] {4}, candidates(split.training().get(1), "item"));
    assertArrayEquals(new long[] {1}, events(split.training().get(1), "item"));
    assertArrayEquals(new long[] {1, 2, 3, 4}, events(split.validation().get(0), "item"));
  }

  private static LogRow row(long item, long time, float label) {
    return new LogRow(1, time, new long[] {item}, new long[] {item}, new long[0], label);
  }
}
