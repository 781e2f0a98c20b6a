package ai.longer.internal;

public final class ModelHandle { public void close() {} }
