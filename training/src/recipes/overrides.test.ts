import { describe, expect, it } from "vitest";
import {
  flagOf,
  overrideRecipe,
  overrideTextRecipe,
  recipeFields,
  recipeName,
  recipeNameIn,
  textRecipeFields,
} from "./overrides.ts";
import { recipeFor, recipes } from "./recipe.ts";
import { textRecipes } from "./text-recipe.ts";

describe("overrideRecipe", () => {
  const quick = recipeFor("quick", "cifar10");

  it("takes texts as flags give them and leaves the recipe itself alone", () => {
    const changed = overrideRecipe(quick, { learningRate: "0.05", flip: "false", nesterov: true, schedule: "cosine" });
    expect(changed).toEqual({ ...quick, learningRate: 0.05, flip: false, nesterov: true, schedule: "cosine" });
    expect(recipes.quick.flip).toBe(true);
  });

  it.each([
    [{ epoch: "3" }, "unknown recipe field --epoch: did you mean --epochs?"],
    [{ epochs: "0" }, '--epochs got "0"; expected a whole number of at least 1'],
    [{ momentum: "1.5" }, '--momentum got "1.5"; expected a number from 0 to 1'],
    [{ momentum: "" }, '--momentum got ""; expected a number from 0 to 1'],
    [{ optimizer: "adan" }, '--optimizer got "adan"; expected one of sgd, adam, adamw, muon (did you mean "adam"?)'],
    [{ flip: "yes" }, '--flip got "yes"; expected true or false'],
  ])("refuses %j", (overrides, message) => {
    expect(() => overrideRecipe(quick, overrides)).toThrow(message);
  });

  it("has a field for everything in a recipe", () => {
    expect(Object.keys(recipeFields).sort()).toEqual(Object.keys(quick).sort());
  });
});

describe("overrideTextRecipe", () => {
  it("knows the fields of recipes for text, and no others", () => {
    const changed = overrideTextRecipe(textRecipes.quick, { dropout: "0.2", schedule: "inverse-sqrt" });
    expect(changed).toEqual({ ...textRecipes.quick, dropout: 0.2, schedule: "inverse-sqrt" });
    expect(() => overrideTextRecipe(textRecipes.quick, { cutmix: "1" })).toThrow(/unknown recipe field --cutmix/);
    expect(Object.keys(textRecipeFields).sort()).toEqual(Object.keys(textRecipes.quick).sort());
  });

  it("takes one average of weights", () => {
    expect(overrideTextRecipe(textRecipes.quick, { ema: "0.9" }).ema).toBe(0.9);
    const both = () => overrideTextRecipe({ ...textRecipes.quick, averageLast: 5 }, { ema: "0.9" });
    expect(both).toThrow("--ema 0.9 and --average-last 5 are both averages of weights: set one of them to 0");
  });
});

it("names the nearest recipe", () => {
  expect(() => recipeNameIn("paper", textRecipes)).toThrow('unknown recipe "paper"');
  expect(() => recipeName("standart")).toThrow('did you mean "standard"');
  expect(recipeName("paper")).toBe("paper");
});

it("writes flags in kebab-case", () => expect(flagOf("labelSmoothing")).toBe("label-smoothing"));
