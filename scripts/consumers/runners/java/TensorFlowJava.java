import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.tensorflow.Result;
import org.tensorflow.SavedModelBundle;
import org.tensorflow.Tensor;
import org.tensorflow.TensorFunction;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.buffer.DataBuffers;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TFloat64;
import org.tensorflow.types.TInt32;
import org.tensorflow.types.TInt64;

/** The signature through TensorFlow Java. Reads and prints what answers.py describes. */
public final class TensorFlowJava {
  private static final double RTOL = 1e-4;
  private static final double ATOL = 1e-5;

  public static void main(String[] arguments) throws Exception {
    JsonArray cases;
    try (Reader reader = Files.newBufferedReader(Path.of(arguments[0]))) {
      cases = JsonParser.parseReader(reader).getAsJsonArray();
    }
    for (JsonElement each : cases) {
      JsonObject asked = each.getAsJsonObject();
      JsonObject found = new JsonObject();
      try {
        found = compared(asked.get("folder").getAsString(), asked.getAsJsonArray("batches"));
      } catch (Exception error) { // whatever a consumer throws is a result
        error.printStackTrace();
        found.addProperty("problem", error.getClass().getSimpleName() + ": " + error.getMessage());
      }
      found.add("name", asked.get("name"));
      System.out.println("RESULT " + new Gson().toJson(found));
    }
  }

  private static JsonObject compared(String folder, JsonArray batches) {
    double error = 0;
    double share = 0;
    try (SavedModelBundle bundle = SavedModelBundle.load(folder, "serve")) {
      TensorFunction function = bundle.function("serving_default");
      for (JsonElement batch : batches) {
        Map<String, Tensor> inputs = new HashMap<>();
        batch.getAsJsonObject().getAsJsonObject("inputs").entrySet()
            .forEach(entry -> inputs.put(entry.getKey(), tensor(entry.getValue().getAsJsonObject())));
        try (Result outputs = function.call(inputs)) {
          for (Map.Entry<String, JsonElement> entry :
              batch.getAsJsonObject().getAsJsonObject("outputs").entrySet()) {
            Tensor given = outputs.get(entry.getKey()).orElseThrow();
            JsonObject wanted = entry.getValue().getAsJsonObject();
            if (!given.shape().equals(shape(wanted))) {
              throw new IllegalStateException(
                  entry.getKey() + " has the shape " + given.shape() + " in place of " + shape(wanted));
            }
            double[] got = values(given);
            double[] expected = numbers(wanted);
            for (int index = 0; index < got.length; index++) {
              if (!Double.isFinite(got[index])) {
                throw new IllegalStateException(entry.getKey() + " is not finite");
              }
              double apart = Math.abs(got[index] - expected[index]);
              error = Math.max(error, apart);
              share = Math.max(share, apart / (ATOL + RTOL * Math.abs(expected[index])));
            }
          }
        }
        inputs.values().forEach(Tensor::close);
      }
    }
    JsonObject found = new JsonObject();
    found.addProperty("error", error);
    found.addProperty("share", share);
    return found;
  }

  private static Tensor tensor(JsonObject array) {
    double[] numbers = numbers(array);
    String dtype = array.get("dtype").getAsString();
    switch (dtype) {
      case "float32":
        float[] floats = new float[numbers.length];
        for (int index = 0; index < floats.length; index++) {
          floats[index] = (float) numbers[index];
        }
        return TFloat32.tensorOf(shape(array), DataBuffers.of(floats));
      case "float64":
        return TFloat64.tensorOf(shape(array), DataBuffers.of(numbers));
      case "int32":
        int[] integers = new int[numbers.length];
        for (int index = 0; index < integers.length; index++) {
          integers[index] = (int) numbers[index];
        }
        return TInt32.tensorOf(shape(array), DataBuffers.of(integers));
      case "int64":
        long[] longs = new long[numbers.length];
        for (int index = 0; index < longs.length; index++) {
          longs[index] = (long) numbers[index];
        }
        return TInt64.tensorOf(shape(array), DataBuffers.of(longs));
      default:
        throw new IllegalArgumentException("no input of this type yet: " + dtype);
    }
  }

  private static double[] values(Tensor tensor) {
    double[] found = new double[(int) tensor.size()];
    if (tensor instanceof TFloat64) {
      ((TFloat64) tensor).copyTo(DataBuffers.of(found, false, false));
      return found;
    }
    float[] floats = new float[found.length];
    ((TFloat32) tensor).copyTo(DataBuffers.of(floats, false, false));
    for (int index = 0; index < found.length; index++) {
      found[index] = floats[index];
    }
    return found;
  }

  private static double[] numbers(JsonObject array) {
    return StreamSupport.stream(array.getAsJsonArray("values").spliterator(), false)
        .mapToDouble(JsonElement::getAsDouble)
        .toArray();
  }

  private static Shape shape(JsonObject array) {
    return Shape.of(
        StreamSupport.stream(array.getAsJsonArray("shape").spliterator(), false)
            .mapToLong(JsonElement::getAsLong)
            .toArray());
  }
}
