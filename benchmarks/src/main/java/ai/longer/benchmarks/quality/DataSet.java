package ai.longer.benchmarks.quality;

import ai.longer.LongerModel;
import ai.longer.Schema;
import ai.longer.data.Request;
import java.util.List;
import java.util.Map;

/** Requests of one data set, split by time or by users. */
interface DataSet {
  /** Features and label; fixed once the data set is made. */
  Schema schema();

  /** Reads every request. */
  Split split();

  /** Figures of its own about a trained LONGER model. */
  default Map<String, Double> inspect(LongerModel model, List<Request> test) {
    return Map.of();
  }
}
