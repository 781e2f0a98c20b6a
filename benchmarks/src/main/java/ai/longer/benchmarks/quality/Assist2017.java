package ai.longer.benchmarks.quality;

import ai.longer.Schema;
import ai.longer.benchmarks.quality.DataFolders.Download;
import ai.longer.benchmarks.quality.Split.Cut;
import ai.longer.data.Interaction;
import java.nio.file.Path;
import java.util.function.LongPredicate;
import java.util.stream.Stream;

/**
 * ASSISTments 2017: will the student answer this problem correctly? Problem and skill are known;
 * events are the earlier answers with problem, skill and correctness. Only the order of the answers
 * is known: their positions stand in for seconds.
 */
final class Assist2017 implements DataSet {
  private static final Download DOWNLOAD =
      new Download("assist2017", "https://sites.google.com/view/assistmentsdatamining", null, null);

  private static final int FOLDS = 5;

  /**
   * How to split.
   *
   * @param testFold 0 = each student's last answers are the test and the student is a feature; 1 …
   *     5 = the students of that fold are the test, those of the next fold validation
   */
  record Options(
      int candidates, double validationShare, double testShare, int maxHistory, int testFold) {
    Cut cut() {
      return new Cut(candidates, validationShare, testShare, maxHistory);
    }
  }

  private final DataFolders folders;
  private final Options options;

  private record Answer(
      long fold, long student, long position, long problem, long skill, long correct) {}

  Assist2017(DataFolders folders, Options options) {
    this.folders = folders;
    this.options = options;
  }

  @Override
  public Schema schema() {
    Schema.Builder schema =
        Schema.builder()
            .table("problem", 16)
            .table("skill", 8)
            .denseTable("correct", 4, 2)
            .event("problem", "problem")
            .event("skill", "skill")
            .event("correct", "correct")
            .candidate("problem", "problem")
            .candidate("skill", "skill")
            .task("correct");
    return hasStudent()
        ? schema.table("student", 16).user("student", "student").build()
        : schema.build();
  }

  /** A student of another fold was never seen in training: no feature then. */
  private boolean hasStudent() {
    return options.testFold() == 0;
  }

  @Override
  public Split split() {
    Schema schema = schema();
    Cut cut = options.cut();
    if (hasStudent()) {
      return cut.byTime(schema, () -> log(fold -> true));
    }
    long test = options.testFold();
    long validation = test % FOLDS + 1;
    return new Split(
        cut.all(schema, () -> log(fold -> fold != test && fold != validation)),
        cut.all(schema, () -> log(fold -> fold == validation)),
        cut.all(schema, () -> log(fold -> fold == test)));
  }

  private Stream<Interaction> log(LongPredicate folds) {
    return UserOrder.byTime(answers().filter(answer -> folds.test(answer.fold())).map(this::row));
  }

  private LogRow row(Answer answer) {
    return new LogRow(
        answer.student(),
        answer.position(),
        new long[] {answer.problem(), answer.skill(), answer.correct()},
        new long[] {answer.problem(), answer.skill()},
        hasStudent() ? new long[] {answer.student()} : new long[0],
        answer.correct());
  }

  private Stream<Answer> answers() {
    Path file = folders.find(DOWNLOAD, "responses.csv");
    return FileRows.ofCsv(
        file,
        header -> {
          int fold = header.column("fold");
          int student = header.column("student");
          int position = header.column("position");
          int problem = header.column("problem");
          int skill = header.column("skill");
          int correct = header.column("correct");
          return row ->
              new Answer(
                  row.longValue(fold),
                  row.longValue(student),
                  row.longValue(position),
                  row.longValue(problem),
                  row.longValue(skill),
                  row.longValue(correct));
        });
  }
}
