"""A network of the user's own."""

from ganstudy.networks import Network


class Sine(Network):
    """One hidden layer of sines.

    Source  Sitzmann et al. 2020, without their initialisation.
    """

    def shapes(self, architecture, ends):
        inputs, width, outputs = ends.inputs.row, architecture.width, ends.outputs.row
        bias = {"bias_0": (1, width)} if architecture.bias else {}
        return {"weight_0": (inputs, width), **bias, "weight_1": (width, outputs)}

    def initialise(self, architecture, ends, rng):
        shapes = self.shapes(architecture, ends)
        return {name: 0.3 * rng.standard_normal(shape, "f4") for name, shape in shapes.items()}

    def apply(self, architecture, ends, parameters, x):
        hidden = x @ parameters["weight_0"]
        if architecture.bias:
            hidden = hidden + parameters["bias_0"]
        return hidden.sin() @ parameters["weight_1"]
