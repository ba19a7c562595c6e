"""Regression, classification, trees, clusters, components, texts and pipelines."""

# needs scikit-learn, pandas

import numpy as np
import pandas as pd
from sklearn.cluster import DBSCAN, AgglomerativeClustering, KMeans
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.decomposition import NMF, PCA, TruncatedSVD
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression, Ridge, SGDClassifier
from sklearn.manifold import TSNE
from sklearn.metrics import (
    accuracy_score,
    classification_report,
    confusion_matrix,
    mean_squared_error,
    r2_score,
    roc_auc_score,
    silhouette_score,
)
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier, export_text

x, y = load_diabetes(return_X_y=True)
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.25, random_state=16)
for model in (LinearRegression(), Ridge(0.1), Lasso(0.2)):
    guessed = model.fit(x_train, y_train).predict(x_test)
    print(
        type(model).__name__,
        np.round(model.coef_[:3], 5),
        round(mean_squared_error(y_test, guessed), 4),
        round(r2_score(y_test, guessed), 6),
    )
boosted = GradientBoostingRegressor(n_estimators=30, random_state=1).fit(x_train, y_train)
print("boosted", round(boosted.score(x_test, y_test), 6), boosted.feature_importances_.argmax())
curved = make_pipeline(PolynomialFeatures(2), StandardScaler(), Ridge(50.0))
print("curved", np.round(cross_val_score(curved, x, y, cv=4), 6))
process = GaussianProcessRegressor(alpha=0.5, normalize_y=True).fit(x_train[:60], y_train[:60])
print("process", np.round(process.predict(x_test[:2], return_std=True), 3))

x, y = load_breast_cancer(return_X_y=True)
x_train, x_test, y_train, y_test = train_test_split(x, y, stratify=y, random_state=2)
logistic = Pipeline([("scale", StandardScaler()), ("model", LogisticRegression())])
logistic.fit(x_train, y_train)
print(
    "logistic",
    np.round(logistic["model"].coef_[0, :4], 5),
    confusion_matrix(y_test, logistic.predict(x_test)),
)
print("area", round(roc_auc_score(y_test, logistic.predict_proba(x_test)[:, 1]), 8))
forest = RandomForestClassifier(50, random_state=3, oob_score=True, n_jobs=-1).fit(x_train, y_train)
print("forest", round(forest.score(x_test, y_test), 6), round(forest.oob_score_, 6))
print(np.round(forest.feature_importances_[:4], 6))
fast = HistGradientBoostingClassifier(max_iter=20).fit(x_train, y_train)
print("histograms", round(fast.score(x_test, y_test), 6))
for model in (SVC(), LinearSVC(), SGDClassifier(random_state=4), KNeighborsClassifier()):
    scaled = make_pipeline(StandardScaler(), model).fit(x_train, y_train)
    print(type(model).__name__, round(scaled.score(x_test, y_test), 6))
search = GridSearchCV(
    make_pipeline(StandardScaler(), SVC()), {"svc__C": [0.1, 1, 10]}, cv=3, n_jobs=2
).fit(x_train, y_train)
print("search", search.best_params_, round(search.best_score_, 6))

iris = load_iris(as_frame=True)
tree = DecisionTreeClassifier(max_depth=2, random_state=0).fit(iris.data, iris.target)
print(export_text(tree, feature_names=list(iris.feature_names)))
print(classification_report(iris.target, tree.predict(iris.data), target_names=iris.target_names))
network = make_pipeline(
    StandardScaler(), MLPClassifier((8,), max_iter=400, tol=1e-3, random_state=5)
)
print("network", round(network.fit(iris.data, iris.target).score(iris.data, iris.target), 4))
best = SelectKBest(k=2).fit(iris.data, iris.target)
print("best", list(best.get_feature_names_out()), np.round(best.scores_, 5))

wine = StandardScaler().fit_transform(load_wine().data)
components = PCA(3).fit(wine)
print("components", np.round(components.explained_variance_ratio_, 8))
print(np.round(np.abs(components.transform(wine)[:2]), 6))
clusters = KMeans(3, n_init=5, random_state=6).fit(wine)
print("clusters", np.sort(np.bincount(clusters.labels_)), round(clusters.inertia_, 5))
print("silhouette", round(silhouette_score(wine, clusters.labels_), 8))
print("agglomerated", np.sort(np.bincount(AgglomerativeClustering(3).fit_predict(wine))))
print("dense", np.bincount(DBSCAN(eps=2.2).fit_predict(wine) + 1))
mixture = GaussianMixture(3, random_state=7, covariance_type="diag").fit(wine)
print("mixture", np.round(np.sort(mixture.weights_), 5), round(mixture.bic(wine), 3))
print("odd", (IsolationForest(random_state=8).fit_predict(wine) == -1).sum())
distances, _ = NearestNeighbors(n_neighbors=3).fit(wine).kneighbors(wine[:2])
print("near", np.round(distances, 6))
print("map", TSNE(max_iter=260, random_state=9, perplexity=20).fit_transform(wine).shape)

texts = [
    "cheap pills now",
    "meeting at noon",
    "cheap meeting rooms",
    "pills and more pills",
    "noon at last",
]
words = TfidfVectorizer()
counted = words.fit_transform(texts)
print("words", counted.shape, counted.nnz, np.round(counted.data[:4], 6))
spam = MultinomialNB().fit(counted, [1, 0, 0, 1, 0])
print("spam", np.round(spam.predict_proba(words.transform(["cheap pills", "see you at noon"])), 6))
print("topics", np.round(np.abs(TruncatedSVD(2, random_state=0).fit(counted).singular_values_), 6))
print(np.round(NMF(2, init="nndsvda", random_state=0).fit(counted).reconstruction_err_, 5))

people = pd.DataFrame(
    {
        "age": [22, 38, None, 35, 54, 2, 27, 14],
        "fare": [7.25, 71.3, 7.9, 53.1, 51.9, 21.1, 11.1, 30.1],
        "port": ["S", "C", "S", "S", "Q", "S", "C", "C"],
        "lived": [0, 1, 1, 1, 0, 0, 1, 1],
    }
)
prepared = ColumnTransformer(
    [
        ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), ["age", "fare"]),
        ("kinds", OneHotEncoder(handle_unknown="ignore"), ["port"]),
    ]
)
whole = make_pipeline(prepared, LogisticRegression()).fit(
    people.drop(columns="lived"), people["lived"]
)
print("people", list(whole[0].get_feature_names_out()))
print(np.round(whole[-1].coef_, 6), accuracy_score(people["lived"], whole.predict(people)))
