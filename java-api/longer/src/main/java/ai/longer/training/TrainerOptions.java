package ai.longer.training;

import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How to train.
 *
 * <p>Immutable; safe for use by several threads.
 */
public final class TrainerOptions {
  /** What early stopping and {@link Trainer#bestModel} compare. */
  public enum Metric {
    /** Cross-entropy: lower is better. */
    LOG_LOSS,
    /** Area under the ROC curve: higher is better. */
    AUC
  }

  private final Builder values;

  private TrainerOptions(Builder builder) {
    values = new Builder(builder);
  }

  /** Returns the defaults, see the builder's methods. */
  public static TrainerOptions defaults() {
    return builder().build();
  }

  /** Starts from the defaults. */
  public static Builder builder() {
    return new Builder();
  }

  /** Returns a builder that starts from these options. */
  public Builder toBuilder() {
    return new Builder(values);
  }

  /** Returns AdamW's learning rate for dense parameters. */
  public double learningRate() {
    return values.learningRate;
  }

  /** Returns row-wise Adagrad's learning rate for growable tables. */
  public double tableLearningRate() {
    return values.tableLearningRate;
  }

  /** Returns AdamW's first decay rate. */
  public double beta1() {
    return values.beta1;
  }

  /** Returns AdamW's second decay rate. */
  public double beta2() {
    return values.beta2;
  }

  /** Returns AdamW's ε. */
  public double epsilon() {
    return values.epsilon;
  }

  /** Returns the decay of the weight matrices of linear maps. */
  public double weightDecay() {
    return values.weightDecay;
  }

  /** Returns row-wise Adagrad's ε. */
  public double tableEpsilon() {
    return values.tableEpsilon;
  }

  /** Returns the limit of the global gradient norm; 0 = off. */
  public double clipNorm() {
    return values.clipNorm;
  }

  /** Returns the steps of linear warm-up. */
  public long warmupSteps() {
    return values.warmupSteps;
  }

  /** Returns the steps of cosine decay; 0 = constant. */
  public long decaySteps() {
    return values.decaySteps;
  }

  /** Returns the share of the rate that decay ends at. */
  public double decayFloor() {
    return values.decayFloor;
  }

  /** Returns the seed of initial weights, table rows and shuffling. */
  public long seed() {
    return values.seed;
  }

  /** Returns what the backward pass computes again. */
  public Recomputation recomputation() {
    return values.recomputation;
  }

  /** Returns what becomes of a step that is not finite. */
  public OnNonfinite onNonfinite() {
    return values.onNonfinite;
  }

  /** Returns what activations are in. */
  public Precision precision() {
    return values.precision;
  }

  /** Returns the requests per batch. */
  public int batchSize() {
    return values.batchSize;
  }

  /** Returns the batches per optimizer step. */
  public int batchesPerStep() {
    return values.batchesPerStep;
  }

  /** Returns the passes over the training requests. */
  public int epochs() {
    return values.epochs;
  }

  /** Returns the requests held to shuffle from; 1 = source order. */
  public int shuffleBuffer() {
    return values.shuffleBuffer;
  }

  /** Returns the passes without improvement that end a run; 0 = never. */
  public int patience() {
    return values.patience;
  }

  /** Returns what is compared between validation passes. */
  public Metric metric() {
    return values.metric;
  }

  /** Returns the folder of periodic checkpoints, if there are any. */
  public Optional<Path> checkpointFolder() {
    return Optional.ofNullable(values.checkpointFolder);
  }

  /** Returns the steps between periodic checkpoints. */
  public long checkpointSteps() {
    return values.checkpointSteps;
  }

  /** Collects options. Not thread-safe. */
  public static final class Builder {
    private double learningRate = 1e-3;
    private double tableLearningRate = 0.05;
    private double beta1 = 0.9;
    private double beta2 = 0.999;
    private double epsilon = 1e-8;
    private double weightDecay = 0.01;
    private double tableEpsilon = 1e-8;
    private double clipNorm = 1.0;
    private long warmupSteps;
    private long decaySteps;
    private double decayFloor;
    private long seed;
    private Recomputation recomputation = Recomputation.NONE;
    private OnNonfinite onNonfinite = OnNonfinite.SKIP;
    private Precision precision = Precision.FP32;
    private int batchSize = 64;
    private int batchesPerStep = 1;
    private int epochs = 1;
    private int shuffleBuffer = 65_536;
    private int patience;
    private Metric metric = Metric.LOG_LOSS;
    private @Nullable Path checkpointFolder;
    private long checkpointSteps = 1;

    private Builder() {}

    private Builder(Builder other) {
      learningRate = other.learningRate;
      tableLearningRate = other.tableLearningRate;
      beta1 = other.beta1;
      beta2 = other.beta2;
      epsilon = other.epsilon;
      weightDecay = other.weightDecay;
      tableEpsilon = other.tableEpsilon;
      clipNorm = other.clipNorm;
      warmupSteps = other.warmupSteps;
      decaySteps = other.decaySteps;
      decayFloor = other.decayFloor;
      seed = other.seed;
      recomputation = other.recomputation;
      onNonfinite = other.onNonfinite;
      precision = other.precision;
      batchSize = other.batchSize;
      batchesPerStep = other.batchesPerStep;
      epochs = other.epochs;
      shuffleBuffer = other.shuffleBuffer;
      patience = other.patience;
      metric = other.metric;
      checkpointFolder = other.checkpointFolder;
      checkpointSteps = other.checkpointSteps;
    }

    /** Sets AdamW's learning rate for dense parameters; default 1e-3. */
    public Builder learningRate(double rate) {
      learningRate = rate;
      return this;
    }

    /** Sets row-wise Adagrad's learning rate for growable tables; default 0.05. */
    public Builder tableLearningRate(double rate) {
      tableLearningRate = rate;
      return this;
    }

    /** Sets AdamW's first decay rate; default 0.9. */
    public Builder beta1(double rate) {
      beta1 = rate;
      return this;
    }

    /** Sets AdamW's second decay rate; default 0.999. */
    public Builder beta2(double rate) {
      beta2 = rate;
      return this;
    }

    /** Sets AdamW's ε; default 1e-8. */
    public Builder epsilon(double epsilon) {
      this.epsilon = epsilon;
      return this;
    }

    /** Sets the decay of the weight matrices of linear maps; default 0.01. */
    public Builder weightDecay(double decay) {
      weightDecay = decay;
      return this;
    }

    /** Sets row-wise Adagrad's ε; default 1e-8. */
    public Builder tableEpsilon(double epsilon) {
      tableEpsilon = epsilon;
      return this;
    }

    /** Sets the limit of the global gradient norm; 0 = off; default 1. */
    public Builder clipNorm(double norm) {
      clipNorm = norm;
      return this;
    }

    /** Sets the steps of linear warm-up; default 0. */
    public Builder warmupSteps(long steps) {
      warmupSteps = steps;
      return this;
    }

    /** Sets the steps of cosine decay, counted from step 0; 0 = constant rate; default 0. */
    public Builder decaySteps(long steps) {
      decaySteps = steps;
      return this;
    }

    /** Sets the share of the rate that decay ends at; default 0. */
    public Builder decayFloor(double share) {
      decayFloor = share;
      return this;
    }

    /** Sets the seed of initial weights, table rows, dropout and shuffling; default 0. */
    public Builder seed(long seed) {
      this.seed = seed;
      return this;
    }

    /** Sets what the backward pass computes again to save memory; default NONE. */
    public Builder recomputation(Recomputation recomputation) {
      this.recomputation = Objects.requireNonNull(recomputation, "recomputation");
      return this;
    }

    /** Sets what becomes of a step whose loss or gradients are not finite; default SKIP. */
    public Builder onNonfinite(OnNonfinite onNonfinite) {
      this.onNonfinite = Objects.requireNonNull(onNonfinite, "onNonfinite");
      return this;
    }

    /** Sets what activations are in; default FP32. BF16 needs a CUDA device. */
    public Builder precision(Precision precision) {
      this.precision = Objects.requireNonNull(precision, "precision");
      return this;
    }

    /** Sets the requests per batch; default 64. */
    public Builder batchSize(int requests) {
      batchSize = atLeast(1, requests, "batch size");
      return this;
    }

    /**
     * Sets the batches whose gradients are accumulated for one optimizer step; default 1. As one
     * batch of all their requests, in the memory of one of them. The last step of a pass may have
     * fewer.
     */
    public Builder batchesPerStep(int batches) {
      batchesPerStep = atLeast(1, batches, "batches per step");
      return this;
    }

    /** Sets the passes over the training requests; default 1. */
    public Builder epochs(int passes) {
      epochs = atLeast(1, passes, "epochs");
      return this;
    }

    /**
     * Sets the requests held to shuffle from; default 65 536. A source of at most that many is
     * shuffled uniformly; 1 keeps the source's order. Shards are shuffled uniformly whatever their
     * number, without holding any; 1 keeps their order too.
     */
    public Builder shuffleBuffer(int requests) {
      shuffleBuffer = atLeast(1, requests, "shuffle buffer");
      return this;
    }

    /**
     * Ends a run after {@code passes} validation passes without improvement; default: never.
     *
     * @param metric what is compared; default LOG_LOSS
     */
    public Builder earlyStopping(Metric metric, int passes) {
      this.metric = Objects.requireNonNull(metric, "metric");
      patience = atLeast(1, passes, "patience");
      return this;
    }

    /**
     * Saves a checkpoint every {@code steps} steps of a fit and when it ends or is interrupted;
     * default: never. {@link Trainer#load} and {@link Trainer#resume} go on from it with the same
     * bits.
     *
     * @param folder is replaced by each checkpoint, whole or not at all; its parent must exist. The
     *     best weights so far, if there are any, lie beside it in {@code folder.best-…}
     */
    public Builder checkpoint(Path folder, long steps) {
      checkpointFolder = Objects.requireNonNull(folder, "folder");
      checkpointSteps = atLeast(1, steps, "steps between checkpoints");
      return this;
    }

    private static long atLeast(long least, long value, String what) {
      if (value < least) {
        throw new IllegalArgumentException(
            "[trainer_options] %s must be at least %d; got %d".formatted(what, least, value));
      }
      return value;
    }

    private static int atLeast(int least, int value, String what) {
      return (int) atLeast((long) least, value, what);
    }

    /** Returns the options. */
    public TrainerOptions build() {
      return new TrainerOptions(this);
    }
  }
}
