package ai.longer.benchmarks.quality;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.longer.data.Request;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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
    assertArrayEquals(new long[] {4}, test.candidates().longs("movie"));
    assertArrayEquals(new long[] {1, 2, 3}, test.history().longs("movie"));
    assertArrayEquals(new long[] {100, 200, 300}, test.history().times());
    assertArrayEquals(new long[] {7, 8, 1}, test.history().longs("stars"));
    assertEquals(399, test.referenceTime());
    assertArrayEquals(new float[] {1}, test.labels(0));
    assertEquals(7, test.userId(0));
    assertArrayEquals(new long[] {3}, split.validation().get(0).candidates().longs("movie"));
    assertArrayEquals(new long[] {1, 2}, split.training().get(0).candidates().longs("movie"));
  }

  @Test
  void movieLens1mIsReadFromDatFiles() throws IOException {
    write("ml-1m/movies.dat", "1::Café (1995)::Children's|Comedy\n2::B (1996)::Drama\n");
    write("ml-1m/ratings.dat", "1::2::5::20\n1::1::3::10\n2::1::4::5\n");
    Split split = open("{\"kind\": \"movielens-1m\", " + CUT + "}").split();
    assertEquals(2, split.trainingAndValidation().size());
    assertEquals(0, split.test().size());
    assertArrayEquals(new long[] {1, 2}, split.training().get(0).candidates().longs("movie"));
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
    assertArrayEquals(new long[] {12, 13}, second.candidates().longs("problem"));
    assertArrayEquals(new long[] {0, 1}, second.history().longs("correct"));
    assertEquals(0, second.numUserIds());

    Request byTime =
        open("{\"kind\": \"assist2017\", \"testFold\": 0, " + CUT + "}").split().test().get(9);
    assertArrayEquals(new long[] {13}, byTime.candidates().longs("problem"));
    assertArrayEquals(new long[] {0, 1, 0}, byTime.history().longs("correct"));
    assertEquals(9, byTime.userId(0));
  }
}
